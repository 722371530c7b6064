//! A form: a few fields and what they are for. Every workflow of the console is one of these.
//!
//! Invariants:
//! - A form never acts by itself: what it asks for is built in `forms` and sent by `update`.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "most of a long vocabulary is handled alike here"
)]

use crossterm::event::KeyEvent;
use tui_textarea::{CursorMove, TextArea, WrapMode};

use crate::domain::decide::TEXT_MAX;
use crate::domain::ids::{IncidentId, Seq};
use crate::tui::action::Action;
use crate::tui::key::{Code, Key};

/// What a field holds.
#[derive(Debug, Clone)]
pub enum Input {
    /// One line.
    Line(Box<TextArea<'static>>),
    /// Several lines.
    Text(Box<TextArea<'static>>),
    /// One of a few words.
    Choice { options: Vec<String>, at: usize },
}

/// One field.
#[derive(Debug, Clone)]
pub struct Field {
    pub name: &'static str,
    pub label: &'static str,
    pub hint: String,
    pub input: Input,
    /// What it holds is a proposal: typing takes its place.
    pub is_proposal: bool,
}

/// A form.
#[derive(Debug, Clone)]
pub struct Form {
    /// What it is for.
    pub action: Action,
    pub title: String,
    /// The incidents it is about; several for bulk acts.
    pub incidents: Vec<IncidentId>,
    /// The last event of the incident that the person had seen.
    pub seen: Option<Seq>,
    /// An entry of the timeline it is about.
    pub entry: Option<Seq>,
    /// What the words are like that are approved for several incidents at once.
    pub like: Option<String>,
    /// The alerts it is about, for acts on alerts.
    pub alerts: Vec<String>,
    pub fields: Vec<Field>,
    pub at: usize,
    pub error: Option<String>,
    pub is_changed: bool,
    /// The name of the draft that it was taken up from, where that is not its own.
    pub draft_name: Option<String>,
    /// What a draft held for which there is no field just now: it stays in the draft.
    unshown: serde_json::Map<String, serde_json::Value>,
    /// What was typed on a choice so far: it goes to the option that holds it.
    typing: Typing,
}

/// Letters on a choice.
#[derive(Debug, Clone, Default)]
struct Typing {
    word: String,
    /// The option before the first of them.
    before: usize,
    /// They mean none of the options: whoever writes them takes it for a text, and not one more of
    /// them may choose anything.
    is_astray: bool,
}

fn area(text: &str, lines: bool) -> Box<TextArea<'static>> {
    let mut area = TextArea::new(text.split('\n').map(ToOwned::to_owned).collect());
    area.set_cursor_line_style(ratatui::style::Style::default());
    area.set_max_histories(100);
    if lines {
        area.set_wrap_mode(WrapMode::WordOrGlyph);
    }
    area.move_cursor(CursorMove::Bottom);
    area.move_cursor(CursorMove::End);
    Box::new(area)
}

impl Field {
    /// A field of one line.
    pub fn line(name: &'static str, label: &'static str, text: &str) -> Self {
        let first = text.lines().next().unwrap_or_default();
        Self {
            name,
            label,
            hint: String::new(),
            input: Input::Line(area(first, false)),
            is_proposal: false,
        }
    }

    /// A field of several lines.
    pub fn text(name: &'static str, label: &'static str, text: &str) -> Self {
        Self {
            name,
            label,
            hint: String::new(),
            input: Input::Text(area(text, true)),
            is_proposal: false,
        }
    }

    /// One of a few words; `now` is chosen at first.
    pub fn choice(
        name: &'static str,
        label: &'static str,
        options: Vec<String>,
        now: &str,
    ) -> Self {
        let at = options.iter().position(|option| option == now).unwrap_or(0);
        Self {
            name,
            label,
            hint: String::new(),
            input: Input::Choice { options, at },
            is_proposal: false,
        }
    }

    /// Says how to fill it in.
    #[must_use]
    pub fn hint(mut self, hint: &str) -> Self {
        hint.clone_into(&mut self.hint);
        self
    }

    /// What it holds is only proposed.
    #[must_use]
    pub const fn proposed(mut self) -> Self {
        self.is_proposal = true;
        self
    }

    /// What it holds.
    pub fn value(&self) -> String {
        match &self.input {
            Input::Line(area) | Input::Text(area) => area.lines().join("\n"),
            Input::Choice { options, at } => options.get(*at).cloned().unwrap_or_default(),
        }
    }

    fn set(&mut self, value: &str) {
        match &mut self.input {
            Input::Line(area_now) => *area_now = area(value, false),
            Input::Text(area_now) => *area_now = area(value, true),
            Input::Choice { options, at } => {
                if let Some(found) = options.iter().position(|option| option == value) {
                    *at = found;
                }
            }
        }
    }
}

/// What a key did to a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Typed {
    Nothing,
    Changed,
    /// Enter in the last field that takes it.
    Submit,
}

impl Form {
    /// An empty form.
    pub fn new(action: Action, title: impl Into<String>) -> Self {
        Self {
            action,
            title: title.into(),
            incidents: Vec::new(),
            seen: None,
            entry: None,
            like: None,
            alerts: Vec::new(),
            fields: Vec::new(),
            at: 0,
            error: None,
            is_changed: false,
            draft_name: None,
            unshown: serde_json::Map::new(),
            typing: Typing::default(),
        }
    }

    /// The value of a field.
    pub fn value(&self, name: &str) -> String {
        self.fields.iter().find(|field| field.name == name).map(Field::value).unwrap_or_default()
    }

    /// Whether a field still holds what was proposed.
    pub fn is_proposed(&self, name: &str) -> bool {
        self.fields.iter().any(|field| field.name == name && field.is_proposal)
    }

    /// Has texts be read from their beginning.
    pub fn at_the_top(&mut self) {
        for field in &mut self.fields {
            if let Input::Text(area) = &mut field.input {
                area.move_cursor(CursorMove::Top);
            }
        }
    }

    /// Puts something into a field.
    pub fn set(&mut self, name: &str, value: &str) {
        if let Some(field) = self.fields.iter_mut().find(|field| field.name == name) {
            field.set(value);
        }
    }

    /// Takes what another form of the same kind proposes, where nobody wrote anything else.
    pub fn take_proposals(&mut self, fresh: Self) {
        for new in fresh.fields {
            let known = self.fields.iter_mut().find(|field| field.name == new.name);
            let Some(field) = known else { continue };
            let is_own = match field.input {
                Input::Line(_) => !field.is_proposal,
                Input::Text(_) => !field.is_proposal && !field.value().trim().is_empty(),
                Input::Choice { .. } => true,
            };
            if !is_own {
                *field = new;
            }
        }
    }

    /// Says what is wrong, and goes there: to the field that the words name, else from a choice to
    /// the first text that is empty.
    pub fn refuse(&mut self, why: String) {
        let says = |word: &str| {
            why.split(|c: char| !c.is_alphanumeric()).any(|part| part.eq_ignore_ascii_case(word))
        };
        let is_text = |field: &Field| !matches!(field.input, Input::Choice { .. });
        let is_empty = |field: &Field| is_text(field) && field.value().trim().is_empty();
        let named = |field: &Field| is_empty(field) && (says(field.name) || says(field.label));
        let is_on_choice = self.fields.get(self.at).is_some_and(|field| !is_text(field));
        let other = || self.fields.iter().position(is_empty).filter(|_| is_on_choice);
        if let Some(at) = self.fields.iter().position(named).or_else(other) {
            self.at = at;
        }
        self.typing = Typing::default();
        self.error = Some(why);
    }

    /// Goes to another field.
    pub fn go(&mut self, forward: bool) {
        self.typing = Typing::default();
        // What was wrong is about another field.
        self.error = None;
        let count = self.fields.len().max(1);
        self.at = if forward { (self.at + 1) % count } else { (self.at + count - 1) % count };
    }

    /// Takes a key that no binding wanted.
    pub fn key(&mut self, event: KeyEvent) -> Typed {
        let Some(key) = Key::from_event(event) else {
            return Typed::Nothing;
        };
        let is_last = self.at + 1 >= self.fields.len();
        let Some(field) = self.fields.get_mut(self.at) else {
            return Typed::Nothing;
        };
        let is_text = matches!(key.code, Code::Char(_)) && !key.ctrl && !key.alt;
        if std::mem::take(&mut field.is_proposal)
            && (is_text || key.code == Code::Backspace)
            && let Input::Line(line) = &mut field.input
        {
            *line = area("", false);
            if !is_text {
                return self.touched();
            }
        }
        match &mut field.input {
            Input::Choice { options, at } => match key.code {
                Code::Enter if is_last => Typed::Submit,
                Code::Enter => {
                    self.typing = Typing::default();
                    self.at += 1;
                    Typed::Nothing
                }
                code => {
                    let was_astray = self.typing.is_astray;
                    let typed = choose(options, at, code, &mut self.typing);
                    match (was_astray, self.typing.is_astray) {
                        (_, true) => {
                            let word = &self.typing.word;
                            self.error =
                                Some(format!("'{word}' is none of these: ← → choose, tab goes on"));
                        }
                        (true, false) => self.error = None,
                        (false, false) => {}
                    }
                    typed
                }
            },
            Input::Line(_) if key.code == Code::Enter => {
                if is_last {
                    return Typed::Submit;
                }
                self.at += 1;
                Typed::Nothing
            }
            // As in a shell, not the editor's undo.
            Input::Line(area) | Input::Text(area) if key.ctrl && key.code == Code::Char('u') => {
                area.delete_line_by_head();
                self.touched()
            }
            Input::Line(area) | Input::Text(area) => {
                if area.input(event) {
                    self.touched()
                } else {
                    Typed::Nothing
                }
            }
        }
    }

    /// Takes pasted text: it is text, whatever it holds.
    pub fn paste(&mut self, text: &str) {
        let is_text = matches!(self.fields.get(self.at).map(|f| &f.input), Some(Input::Text(_)));
        let clean = text.replace("\r\n", "\n").replace('\r', "\n").replace('\t', "    ");
        let clean = crate::domain::text::visible_lines(&clean);
        let shown = if is_text { clean } else { clean.replace('\n', " ") };
        let before = self.fields.get(self.at).map_or(0, |field| field.value().len());
        if before + shown.len() > TEXT_MAX {
            let kib = TEXT_MAX / 1024;
            let why = "put it into a file and attach that";
            self.error =
                Some(format!("too long to be pasted: a text has at most {kib} KiB; {why}"));
            return;
        }
        let field = self.fields.get_mut(self.at);
        if let Some(field) = field
            && let Input::Line(line) | Input::Text(line) = &mut field.input
        {
            if std::mem::take(&mut field.is_proposal) {
                *line = area("", is_text);
            }
            line.insert_str(shown);
            self.touched();
        }
    }

    fn touched(&mut self) -> Typed {
        self.is_changed = true;
        self.error = None;
        Typed::Changed
    }

    /// The name under which the keeper keeps what was written: what is for several incidents is
    /// nothing that is for one of them.
    pub fn draft_key(&self) -> String {
        if let Some(name) = &self.draft_name {
            return name.clone();
        }
        let about = match self.incidents.as_slice() {
            [] => "new".to_owned(),
            [only] => only.to_string(),
            [first, rest @ ..] => {
                let all = self
                    .incidents
                    .iter()
                    .fold(0_u32, |all, id| all.rotate_left(5).wrapping_mul(0x9E37_79B9) ^ id.0);
                format!("{first}+{}.{all:08x}", rest.len())
            }
        };
        format!("{} {about}", self.action.name())
    }

    /// What was written, as a draft; empty if there is nothing worth keeping.
    pub fn draft(&self) -> String {
        let mut texts = self.fields.iter().filter(|f| !matches!(f.input, Input::Choice { .. }));
        if self.unshown.is_empty() && texts.all(|field| field.value().trim().is_empty()) {
            return String::new();
        }
        let mut map = self.unshown.clone();
        map.extend(self.fields.iter().map(|it| (it.name.to_owned(), it.value().into())));
        if !self.alerts.is_empty() {
            map.insert("about alerts".to_owned(), self.alerts.clone().into());
        }
        if let Some(seen) = self.seen {
            map.insert("about seen".to_owned(), seen.into());
        }
        if let Some(entry) = self.entry {
            map.insert("about entry".to_owned(), entry.into());
        }
        if self.incidents.len() > 1 || self.draft_name.is_some() && !self.incidents.is_empty() {
            let ids: Vec<String> = self.incidents.iter().map(ToString::to_string).collect();
            map.insert("about incidents".to_owned(), ids.into());
        }
        serde_json::Value::Object(map).to_string()
    }

    /// The incidents that a draft is about, where they are several.
    pub fn incidents_of(draft: &str) -> Vec<IncidentId> {
        let map: serde_json::Value = serde_json::from_str(draft).unwrap_or_default();
        let list = map.get("about incidents").and_then(|v| v.as_array());
        let names = list.into_iter().flatten().filter_map(|v| v.as_str());
        names.filter_map(|name| name.parse().ok()).collect()
    }

    /// Takes a draft up again.
    pub fn restore(&mut self, draft: &str) {
        let Ok(serde_json::Value::Object(map)) = serde_json::from_str(draft) else {
            return;
        };
        for field in &mut self.fields {
            if let Some(value) = map.get(field.name).and_then(|v| v.as_str()) {
                // What somebody wrote is no proposal, and typing goes on after it.
                field.is_proposal &= field.value() == value;
                field.set(value);
            }
        }
        let is_shown = |name: &str| self.fields.iter().any(|field| field.name == name);
        let is_said = |value: &serde_json::Value| value.as_str().is_some_and(|it| !it.is_empty());
        let unshown = map.iter().filter(|(name, value)| !is_shown(name) && is_said(value));
        self.unshown = unshown.map(|(name, value)| (name.clone(), value.clone())).collect();
        let alerts = map.get("about alerts").and_then(|v| v.as_array());
        self.alerts = alerts
            .iter()
            .flat_map(|list| list.iter())
            .filter_map(|v| v.as_str().map(ToOwned::to_owned))
            .collect();
        self.entry = map.get("about entry").and_then(serde_json::Value::as_u64).or(self.entry);
        self.seen = map.get("about seen").and_then(serde_json::Value::as_u64).or(self.seen);
        self.is_changed = true;
    }
}

fn choose(options: &[String], at: &mut usize, code: Code, typing: &mut Typing) -> Typed {
    let count = options.len().max(1);
    // Within a word that was begun, a letter is a letter.
    let is_word = !typing.word.is_empty();
    match code {
        Code::Char(c) if is_word || !matches!(c, 'j' | 'k' | 'h' | 'l' | ' ') => {
            return type_ahead(options, at, c, typing);
        }
        Code::Right | Code::Down | Code::Char('j' | 'l' | ' ') => *at = (*at + 1) % count,
        Code::Left | Code::Up | Code::Char('k' | 'h') => *at = (*at + count - 1) % count,
        Code::Home => *at = 0,
        Code::End => *at = count - 1,
        Code::Backspace if is_word => {
            *at = typing.before;
        }
        _ => return Typed::Nothing,
    }
    *typing = Typing::default();
    Typed::Changed
}

/// Goes to the option that what was typed so far means: one that begins with it, else one of which a
/// word does, else one that holds it. What means none of them changes nothing.
fn type_ahead(options: &[String], at: &mut usize, c: char, typing: &mut Typing) -> Typed {
    let count = options.len().max(1);
    let lower: Vec<String> = options.iter().map(|option| option.to_lowercase()).collect();
    let find = |word: &str, from: usize| {
        let ranks: [&dyn Fn(&str) -> bool; 3] = [
            &|option| option.starts_with(word),
            &|option| option.split(|c: char| !c.is_alphanumeric()).any(|w| w.starts_with(word)),
            // A number may stand at the end (SEV5); a letter anywhere is no sign of what is meant.
            &|option| (word.len() > 1 || c.is_ascii_digit()) && option.contains(word),
        ];
        ranks.into_iter().find_map(|holds| {
            (0..count)
                .map(|step| (from + step) % count)
                .find(|i| lower.get(*i).is_some_and(|o| holds(o)))
        })
    };
    if typing.word.is_empty() {
        typing.before = *at;
    }
    let c = c.to_ascii_lowercase();
    let is_same = typing.word.chars().all(|typed| typed == c);
    typing.word.push(c);
    let narrowed = find(&typing.word, *at).filter(|_| typing.word.chars().count() > 1);
    // The first letter, or the same one again, goes to the next that begins with it.
    let next = || find(&c.to_string(), (*at + 1) % count).filter(|_| is_same);
    let found = if typing.is_astray { None } else { narrowed.or_else(next) };
    let Some(index) = found else {
        typing.is_astray = true;
        *at = typing.before;
        return Typed::Nothing;
    };
    *at = index;
    Typed::Changed
}
