//! The console's state. It knows nothing of the screen but its size.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crossterm::event::KeyEvent;

use crate::client::mirror::Mirror;
use crate::domain::command::Command;
use crate::domain::event::{Actor, Occurred};
use crate::domain::ids::{CommandId, IncidentId, Seq};
use crate::domain::incident::Incident;
use crate::domain::row::Row;
use crate::domain::time::Timestamp;
use crate::domain::words::Right;
use crate::proto::Hit;
use crate::proto::PAGES_TOLD;
use crate::tui::action::Action;
use crate::tui::alert_list::AlertList;
use crate::tui::filter;
use crate::tui::flights::Flights;
use crate::tui::form::Form;
use crate::tui::key::Key;
use crate::tui::keymap::Keymap;
use crate::tui::theme::Theme;

/// What is said after a lost link.
pub const BACK: &str = "the keeper is back";
/// How long the keeper may owe an answer until that is shown, in milliseconds.
pub const SILENT_MS: i64 = 3_000;

/// A pane of the home view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pane {
    Queue,
    Timeline,
    Chain,
    Stakeholders,
}

impl Pane {
    /// In the order of the tab key.
    pub const ALL: [Self; 4] = [Self::Queue, Self::Timeline, Self::Chain, Self::Stakeholders];

    /// The keymap scope of the pane.
    pub const fn scope(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Timeline => "timeline",
            Self::Chain => "chain",
            Self::Stakeholders => "stakeholders",
        }
    }
}

/// How the link to the keeper is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkState {
    Connecting,
    Up,
    Lost { since: Timestamp, why: String },
}

/// What lies over the panes.
#[derive(Debug)]
pub enum Modal {
    Help {
        scroll: usize,
    },
    Palette {
        input: String,
        at: usize,
    },
    Form(Box<Form>),
    /// A question before an act on several incidents.
    Confirm {
        question: String,
        /// Its first line that is shown.
        scroll: usize,
        commands: Vec<Command>,
        occurred: Option<Occurred>,
        /// What was filled in, to come back to.
        form: Option<Box<Form>>,
    },
    /// A list to find something in.
    Find(Find),
    /// The alerts of an incident, to choose from.
    Alerts(AlertList),
    Details {
        scroll: usize,
    },
    /// Lines to read.
    Page {
        what: Reading,
        scroll: usize,
    },
    /// The fortnight's on-call calendar.
    OnCall {
        scroll: usize,
    },
    Drafts {
        drafts: Vec<(String, String)>,
        at: usize,
        /// What was thrown away while the list is open, the latest last.
        dropped: Vec<(String, String)>,
    },
}

impl Modal {
    /// A question before an act that no form led to.
    pub const fn question(question: String, commands: Vec<Command>) -> Self {
        Self::Confirm { question, scroll: 0, commands, occurred: None, form: None }
    }
}

/// What is read in a page of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// Reports from the journal.
    Brief,
    /// Who must know: channels, how often, how much.
    Matrix,
    /// What is put aside by its labels.
    Silences,
    /// What was said at the bottom of the screen.
    Said,
    /// What is wrong in the person's own settings.
    Mistakes,
    /// What was typed and not done, because what it was about never came.
    Dropped,
}

/// What a list finds.
#[derive(Debug, Default)]
pub struct Find {
    /// All timelines, or the incidents that are over.
    pub in_texts: bool,
    pub input: String,
    pub hits: Vec<Hit>,
    pub rows: Vec<Row>,
    pub at: usize,
    /// The request whose answer is awaited.
    pub asked: Option<CommandId>,
}

/// How a message to the person is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Good,
    Bad,
    Plain,
}

/// A message to the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    pub text: String,
    pub tone: Tone,
    pub at: Timestamp,
    /// What came of an act on many: what happens meanwhile is said beside it.
    pub is_result: bool,
}

/// An act on several incidents: how far it came.
#[derive(Debug, Clone, Default)]
pub struct Bulk {
    pub ids: BTreeSet<CommandId>,
    pub sent: usize,
    pub done: usize,
    pub refused: usize,
    /// Why the last one was refused.
    pub why: String,
    /// What was said beside "done", each thing once.
    pub said: BTreeSet<String>,
    /// The form it came from, for another try.
    pub form: Option<Box<Form>>,
}

/// The past, while somebody looks at it.
#[derive(Debug, Clone, PartialEq)]
pub struct Past {
    pub incident: IncidentId,
    pub seq: Seq,
    /// The incident as it was known then, once the keeper has told.
    pub head: Option<Box<Incident>>,
}

/// The console's state.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each answers a question of its own")]
pub struct Model {
    pub size: (u16, u16),
    pub now: Timestamp,
    pub mirror: Mirror,
    pub link: LinkState,
    pub login: String,
    /// Which of this person's consoles this is.
    pub client: u64,
    pub host: String,
    pub right: Right,
    pub intake: Result<String, String>,
    pub keymap: Keymap,
    pub theme: Theme,
    pub focus: Pane,
    pub zoom: bool,
    /// The ids that the queue shows, in order; made from the mirror by `refresh`.
    pub shown: Vec<IncidentId>,
    shown_version: Option<(u64, String, bool)>,
    pub filter: String,
    pub is_filtering: bool,
    /// Where the cursor was before something was looked for.
    pub before_filter: Option<(Option<IncidentId>, bool)>,
    pub selected: usize,
    pub selected_id: Option<IncidentId>,
    pub top: usize,
    pub marks: BTreeSet<IncidentId>,
    /// What waits for this person's answer, the next to go to last.
    pub paged: Vec<IncidentId>,
    /// Those among them that were announced.
    pub called: BTreeSet<IncidentId>,
    /// One's own updates of which it was said that somebody else took them back.
    pub sent_back: BTreeSet<(IncidentId, u32)>,
    /// Distance of the selected entry from the newest one.
    pub entry_back: usize,
    /// The first line of the selected entry that is shown, where it is taller than the pane.
    pub entry_top: usize,
    /// Earlier entries than those that are here are wanted.
    pub wants_older: bool,
    /// The entry to go to once its timeline is here.
    pub wanted_entry: Option<Seq>,
    /// A draft that is taken up as soon as the incident it is about is here: its name and its text.
    pub taking_up: Option<(IncidentId, String, String)>,
    pub stakeholder: usize,
    /// How far the details of the stakeholder under the cursor are scrolled, in lines.
    pub detail_top: usize,
    /// The first line of the escalation pane that is shown.
    pub chain_top: usize,
    pub past: Option<Past>,
    /// An incident that the queue does not hold is looked at.
    pub visiting: bool,
    /// When the cursor last came to another incident without being moved by a key.
    pub slipped_at: Option<Timestamp>,
    pub modals: Vec<Modal>,
    /// The form of a command on its way, to come back to if it is refused.
    pub waiting_forms: BTreeMap<CommandId, Box<Form>>,
    /// The form whose file is being read.
    pub reading: Option<Box<Form>>,
    pub pending: Vec<Key>,
    /// What was struck before the incident under the cursor was here, and since when it waits.
    pub held: Vec<Held>,
    pub held_since: Timestamp,
    /// The incident that was meant: nothing of it is done to another one.
    pub held_for: Option<IncidentId>,
    /// Drafts that were written while there was no keeper to give them to, by their names.
    pub unsaved: BTreeMap<String, String>,
    pub count: Option<usize>,
    pub notice: Option<Notice>,
    /// What was said at the bottom before, the newest last.
    pub said: VecDeque<Notice>,
    pub in_flight: Flights,
    pub bulk: Option<Bulk>,
    /// Other requests on their way.
    pub asked: BTreeMap<CommandId, Asked>,
    /// In the person's settings; and why what was typed was not done.
    pub mistakes: Vec<String>,
    pub dropped: String,
    /// Since when the keeper owes an answer and says nothing at all.
    pub unanswered_since: Option<Timestamp>,
    /// When the panes beside the queue should follow the cursor.
    pub follow_at: Option<Timestamp>,
    /// When a changed draft should be saved.
    pub draft_at: Option<Timestamp>,
    pub loading_rows: bool,
    pub bell: bool,
    pub is_quitting: bool,
}

/// Something that waits until the incident it is about is here.
#[derive(Debug, Clone)]
pub enum Held {
    Act(Action, usize),
    Key(KeyEvent),
    Paste(String),
}

/// What a request that changes nothing is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    Queue,
    Rows,
    Watch(IncidentId),
    Past(Seq),
    /// The entries before those that are here.
    Older(IncidentId),
    Drafts,
    /// What is in force beside the plan's files.
    Beside,
    /// Whether there is a draft of this name, for the form that was just opened.
    Draft(String),
    /// That this draft, by its name, is kept.
    Saving(String, String),
    Find,
    Alerts {
        incident: IncidentId,
        purpose: Action,
    },
    Nothing,
}

impl Model {
    /// A console before its first word from the keeper.
    pub fn new(size: (u16, u16), now: Timestamp, keymap: Keymap, theme: Theme) -> Self {
        Self {
            size,
            now,
            mirror: Mirror::default(),
            link: LinkState::Connecting,
            login: String::new(),
            client: 0,
            host: String::new(),
            right: Right::Observe,
            intake: Ok(String::new()),
            keymap,
            theme,
            focus: Pane::Queue,
            zoom: false,
            shown: Vec::new(),
            shown_version: None,
            filter: String::new(),
            is_filtering: false,
            before_filter: None,
            selected: 0,
            selected_id: None,
            top: 0,
            marks: BTreeSet::new(),
            paged: Vec::new(),
            called: BTreeSet::new(),
            sent_back: BTreeSet::new(),
            entry_back: 0,
            entry_top: 0,
            wants_older: false,
            wanted_entry: None,
            taking_up: None,
            stakeholder: 0,
            detail_top: 0,
            chain_top: 0,
            past: None,
            visiting: false,
            slipped_at: None,
            modals: Vec::new(),
            waiting_forms: BTreeMap::new(),
            reading: None,
            pending: Vec::new(),
            held: Vec::new(),
            held_since: now,
            held_for: None,
            unsaved: BTreeMap::new(),
            count: None,
            notice: None,
            said: VecDeque::new(),
            in_flight: Flights::default(),
            bulk: None,
            asked: BTreeMap::new(),
            mistakes: Vec::new(),
            dropped: String::new(),
            unanswered_since: None,
            follow_at: None,
            draft_at: None,
            loading_rows: false,
            bell: false,
            is_quitting: false,
        }
    }

    /// The scopes in which the next key is looked up, from inside out.
    pub fn scopes(&self) -> Vec<&'static str> {
        if self.is_filtering {
            return vec!["list"];
        }
        match self.modals.last() {
            Some(Modal::Form(_)) => vec!["form"],
            Some(Modal::Palette { .. } | Modal::Find(_)) => vec!["list"],
            Some(Modal::Alerts(_)) => vec!["alerts", "modal"],
            Some(Modal::Drafts { .. }) => vec!["drafts", "modal"],
            Some(
                Modal::Help { .. }
                | Modal::Confirm { .. }
                | Modal::Details { .. }
                | Modal::Page { .. }
                | Modal::OnCall { .. },
            ) => {
                vec!["modal"]
            }
            None => vec![self.focus.scope(), "global"],
        }
    }

    /// Tells what is wrong in the person's settings, before anything else.
    pub fn show_mistakes(&mut self, mistakes: Vec<String>) {
        if !mistakes.is_empty() {
            self.mistakes = mistakes;
            self.modals.push(Modal::Page { what: Reading::Mistakes, scroll: 0 });
        }
    }

    /// Makes the list of shown rows anew if the rows or the filter changed, and keeps the cursor on
    /// its incident.
    pub fn refresh(&mut self) {
        let is_writing = self.is_writing() && self.selected_id.is_some();
        let version = (self.mirror.version, self.filter.clone(), is_writing);
        if self.shown_version.as_ref() == Some(&version) {
            return;
        }
        self.shown = if self.filter.trim().is_empty() {
            self.mirror.ordered().map(|row| row.id).collect()
        } else {
            filter::matching(&self.mirror, self.filter.trim())
        };
        self.shown_version = Some(version);
        self.marks.retain(|id| self.mirror.row(*id).is_some());
        let mirror = &self.mirror;
        // Beyond what is here by now a page may have come first.
        let is_wanted = |id: &IncidentId| mirror.row(*id).is_none_or(|row| row.wants(&self.login));
        self.called.retain(is_wanted);
        self.paged.retain(is_wanted);
        let new = mirror.wanting().filter(|id| !self.paged.contains(id));
        let new: Vec<IncidentId> = new.take(PAGES_TOLD).collect();
        self.paged.extend(new);
        let found =
            self.selected_id.and_then(|id| self.shown.iter().position(|shown| *shown == id));
        self.selected = found.unwrap_or(self.selected).min(self.shown.len().saturating_sub(1));
        // Under a form the incident stays that it is about.
        if found.is_none() && !self.visiting && !self.shown.is_empty() && !is_writing {
            let before = self.selected_id;
            self.selected_id = self.shown.get(self.selected).copied();
            if let (Some(gone), Some(here)) = (before, self.selected_id)
                && gone != here
            {
                self.slipped_at = Some(self.now);
                let is_free = self.notice.as_ref().is_none_or(|said| said.text == BACK);
                if !self.is_filtering && is_free {
                    self.say(Tone::Plain, format!("{gone} left the list; the cursor is on {here}"));
                }
            }
            self.follow_at = Some(self.now);
        }
        self.keep_in_view();
    }

    /// Scrolls so that the cursor is seen: by half a page at a time, which costs few bytes a line.
    pub fn keep_in_view(&mut self) {
        let height = crate::tui::view::layout::queue_rows(self).max(1);
        if self.selected < self.top {
            self.top = self.selected.saturating_sub(height / 2);
        } else if self.selected >= self.top + height {
            self.top = self.selected + 1 - height + height / 2;
        }
        let last_top = self.shown.len().saturating_sub(height);
        self.top = self.top.min(last_top);
    }

    /// The row under the cursor.
    pub fn selected_row(&self) -> Option<&Row> {
        self.mirror.row(*self.shown.get(self.selected)?)
    }

    /// The incidents that an act is about: the marked ones, else the one under the cursor.
    pub fn targets(&self) -> Vec<IncidentId> {
        if self.focus == Pane::Queue && !self.marks.is_empty() {
            return self.marks.iter().copied().collect();
        }
        self.selected_id.into_iter().collect()
    }

    /// Says something to the person.
    pub fn say(&mut self, tone: Tone, text: impl Into<String>) {
        self.show(Notice { text: text.into(), tone, at: self.now, is_result: false });
    }

    /// What an act in flight is called, for the status line.
    pub fn flight_words(&self) -> Option<String> {
        let first = self.in_flight.values().next()?;
        Some(match self.in_flight.len() {
            1 => format!("{}…", first.label),
            n => format!("{}… (+{})", first.label, n - 1),
        })
    }

    /// The actor that this console acts as, for what is shown before the keeper answers.
    pub fn actor(&self) -> Actor {
        Actor::of(self.login.clone(), crate::domain::words::Via::Console)
    }
}
