//! Communication from the command line: updates, approvals, promises, the press, reports.

use clap::{Subcommand, ValueEnum};

use crate::cli::act::{give, text_of, time_ahead};
use crate::cli::look::detail;
use crate::cli::oncall::known;
use crate::cli::out::{Failure, say, say_json, warn};
use crate::cli::update;
use crate::cli::{Context, contacts};
use crate::clock::wall_now;
use crate::domain::brief::{self, Kind, brief};
use crate::domain::command::Command;
use crate::domain::ids::IncidentId;
use crate::domain::incident::Incident;
use crate::domain::stakeholder::Stakeholder;
use crate::domain::talk::change::{Moved, TalkWish};
use crate::domain::talk::{Standing, Update, page, promise};
use crate::domain::words::{PublicStatus, Role};
use crate::proto::Ask;
use crate::tui::update::taken_back;

/// For whom words are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum For {
    Internal,
    Partner,
    Public,
}

/// Which report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Report {
    /// Conditions, actions, needs.
    Can,
    Exec,
    Public,
    Handover,
}

#[expect(clippy::large_enum_variant, reason = "one is made in a run")]
#[derive(Debug, Subcommand)]
pub enum Talk {
    /// Tell stakeholders how it stands: words from a template, or your own.
    Update {
        #[arg(required = true, value_delimiter = ',')]
        incidents: Vec<IncidentId>,
        #[arg(long = "for", value_enum)]
        audience: For,
        /// The stakeholders, with commas; all of that audience who must know unless given.
        #[arg(long, value_delimiter = ',')]
        to: Vec<String>,
        /// What it is called towards them; our own title is never sent outside.
        #[arg(long)]
        title: Option<String>,
        /// What happens.
        #[arg(long)]
        what: Option<String>,
        /// Who is affected.
        #[arg(long)]
        impact: Option<String>,
        /// What is being done.
        #[arg(long)]
        action: Option<String>,
        /// Nothing at all works: only then it is called an outage.
        #[arg(long)]
        total: bool,
        /// Whether data was lost; asked for at the end.
        #[arg(long)]
        data: Option<String>,
        /// What remains; asked for at the end.
        #[arg(long)]
        lingering: Option<String>,
        /// When the next word comes (20m, 14:30), or "last"; as the plan asks for unless given.
        #[arg(long)]
        next: Option<String>,
        /// Your own subject and text instead of a template's ("-": standard input).
        #[arg(long, requires = "text")]
        subject: Option<String>,
        #[arg(long, requires = "subject")]
        text: Option<String>,
        /// What the status page shows; proposed from the phase.
        #[arg(long)]
        public: Option<PublicStatus>,
        /// How a component stands: payments=partial.
        #[arg(long = "component")]
        components: Vec<String>,
        /// The update that it corrects.
        #[arg(long)]
        corrects: Option<u32>,
        /// Why the public reads it before an embargo of the press ends.
        #[arg(long, value_name = "WHY", default_value = "")]
        before_embargo: String,
        /// Your own words in several languages: a file of what '--preview --json' prints ("-":
        /// standard input).
        #[arg(long, value_name = "FILE", conflicts_with = "subject")]
        words: Option<String>,
        /// Print the words and send nothing.
        #[arg(long)]
        preview: bool,
    },
    /// List updates, who was told what, and the proof.
    Updates { incident: IncidentId },
    /// Approve an update, and send it; --also lets the same words go that wait on other incidents.
    Approve {
        incident: IncidentId,
        update: u32,
        #[arg(long, value_delimiter = ',', value_name = "INCIDENT")]
        also: Vec<IncidentId>,
        /// Why nobody else can look at it; that goes on record.
        #[arg(long)]
        force: Option<String>,
        /// Why the public reads it before an embargo of the press ends.
        #[arg(long, default_value = "")]
        before_embargo: String,
    },
    /// Take an update back before it goes.
    Withdraw {
        incident: IncidentId,
        update: u32,
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Promise a stakeholder the next word.
    Promise {
        incident: IncidentId,
        stakeholder: String,
        /// 20m, 14:30.
        by: String,
        #[arg(default_value = "")]
        text: String,
    },
    /// Have words come less often (a long incident), or as often as at first.
    LongIncident {
        incident: IncidentId,
        /// Why; needed unless --off.
        #[arg(default_value = "")]
        reason: String,
        #[arg(long)]
        off: bool,
    },
    /// List what the press asked; log a question, answer it, change what was agreed on, or say what
    /// the press hears for now.
    Press {
        incident: IncidentId,
        /// The paper or station; with --answer: the answer, or nothing for the holding statement;
        /// with --hold: the statement; with --change: why.
        #[arg(default_value = "", required_unless_present_any = ["answer", "list"])]
        outlet_or_answer: String,
        #[arg(default_value = "", required_unless_present_any = ["answer", "hold", "list", "change"])]
        question: String,
        /// What was asked so far, by when it needs an answer, and what was answered.
        #[arg(long, conflicts_with_all = ["outlet_or_answer", "answer", "hold"])]
        list: bool,
        #[arg(long, default_value = "")]
        person: String,
        /// When they need it.
        #[arg(long)]
        by: Option<String>,
        #[arg(long)]
        embargo: Option<String>,
        /// Answers the inquiry of this number.
        #[arg(long, value_name = "NUMBER", conflicts_with = "question")]
        answer: Option<u32>,
        /// The holding statement: what all of the press hear until more can be said.
        #[arg(long, conflicts_with_all = ["question", "answer"])]
        hold: bool,
        /// Changes --by or --embargo of the inquiry of this number, with the reason.
        #[arg(long, value_name = "NUMBER", conflicts_with_all = ["question", "answer", "hold"])]
        change: Option<u32>,
    },
    /// Log how content a stakeholder was, 1 (bad) to 5 (good).
    Feedback {
        incident: IncidentId,
        stakeholder: String,
        score: u8,
        #[arg(default_value = "")]
        text: String,
    },
    /// List calls, conversations and promises, questions of the press and what was said to them.
    Contacts { incident: IncidentId },
    /// Who must know: channels, how often, how much, and what is missing.
    Stakeholders {
        /// Those who must know of this incident.
        incident: Option<IncidentId>,
    },
    /// A report from the journal; each line names the entries it rests on.
    Brief {
        incident: IncidentId,
        #[arg(long = "for", value_enum, default_value = "can")]
        report: Report,
    },
}

/// Does it and prints the answer.
pub fn run(talk: Talk, context: &Context) -> Result<(), Failure> {
    let (incident, wish) = match talk {
        Talk::Update { .. } => return update::update(context, &talk),
        Talk::Updates { incident } => return updates(context, incident),
        Talk::Contacts { incident } => return contacts::contacts(context, incident),
        Talk::Stakeholders { incident } => return stakeholders(context, incident),
        Talk::Brief { incident, report } => return report_of(context, incident, report),
        Talk::Approve { incident, update, force, also, before_embargo } => {
            let whys = (force.as_ref(), before_embargo.as_str());
            return approve(context, (incident, update), whys, also);
        }
        Talk::Withdraw { incident, update, reason } => {
            return withdraw(context, incident, update, reason);
        }
        Talk::Promise { incident, stakeholder, by, text } => {
            (incident, TalkWish::Promise { stakeholder, next_by: time_ahead(&by)?, text })
        }
        Talk::LongIncident { incident, reason, off } => {
            (incident, TalkWish::Cadence { long: !off, reason })
        }
        Talk::Press { incident, list: true, .. } => return asked_by_the_press(context, incident),
        Talk::Press { incident, outlet_or_answer: text, answer: Some(inquiry), .. } => {
            // Without words of its own it is the holding statement.
            let text = if text.is_empty() { text } else { text_of(text)? };
            (incident, TalkWish::AnswerInquiry { inquiry, text })
        }
        Talk::Press { incident, outlet_or_answer: text, hold: true, .. } => {
            (incident, TalkWish::Hold { text: text_of(text)? })
        }
        Talk::Press {
            incident,
            outlet_or_answer: reason,
            change: Some(inquiry),
            by,
            embargo,
            ..
        } => {
            let (answer_by, embargo) = (moved(by.as_deref())?, moved(embargo.as_deref())?);
            (incident, TalkWish::MoveInquiry { inquiry, answer_by, embargo, reason })
        }
        Talk::Press {
            incident, outlet_or_answer: outlet, question, person, by, embargo, ..
        } => {
            let answer_by = by.map(|text| time_ahead(&text)).transpose()?;
            let embargo = embargo.map(|text| time_ahead(&text)).transpose()?;
            (incident, TalkWish::Inquire { outlet, person, question, answer_by, embargo })
        }
        Talk::Feedback { incident, stakeholder, score, text } => {
            (incident, TalkWish::Feedback { stakeholder, score, text })
        }
    };
    give(context, Command::Talk { incident, talk: Box::new(wish) })
}

/// Takes an update back; one's own words are a draft again.
fn withdraw(
    context: &Context,
    incident: IncidentId,
    update: u32,
    reason: String,
) -> Result<(), Failure> {
    let talk = Box::new(TalkWish::Withdraw { update, reason });
    give(context, Command::Talk { incident, talk })?;
    let head = detail(context, incident, None, 1)?.head;
    let Some((key, text)) = taken_back::own_words(&head, update) else { return Ok(()) };
    context.keeper()?.ask(Ask::SaveDraft { key, text, only_new: true })?;
    if !context.json {
        say("its words are a draft again: 'P' in the console");
    }
    Ok(())
}

/// A time that changes: not given, 'none', or a time.
fn moved(given: Option<&str>) -> Result<Moved, Failure> {
    Ok(match given.map(str::trim) {
        None | Some("") => Moved::Kept,
        Some("none") => Moved::Lifted,
        Some(text) => Moved::To(time_ahead(text)?),
    })
}

/// What the press asked about an incident, and what it heard.
fn asked_by_the_press(context: &Context, id: IncidentId) -> Result<(), Failure> {
    let incident = detail(context, id, None, 1)?.head;
    let talk = &incident.talk;
    if context.json {
        return say_json(&serde_json::json!({
            "holding": &talk.holding,
            "inquiries": &talk.inquiries,
        }));
    }
    let speakers = incident.roles.get(&Role::Spokesperson).filter(|people| !people.is_empty());
    match speakers {
        Some(people) => {
            say(&format!("{} speaks to the press", people.join(", ")));
        }
        None => {
            say(&format!("nobody speaks to the press yet: warroom role {id} spokesperson LOGIN"));
        }
    }
    match &talk.holding {
        Some(holding) => say(&format!("until more can be said: {}", holding.text)),
        None => say(&format!("no holding statement yet: warroom press {id} --hold TEXT")),
    }
    if talk.inquiries.is_empty() {
        say("the press asked nothing yet");
    }
    let now = wall_now();
    for asked in &talk.inquiries {
        let number = asked.inquiry.number;
        let is_late = asked.answer.is_none() && asked.inquiry.answer_by.is_some_and(|at| at <= now);
        let late = if is_late { "LATE: " } else { "" };
        say(&format!("{number:>3} {late}{}", asked.inquiry.facts()));
        if let Some((by, text)) = &asked.answer {
            say(&format!("    {by} answered: {text}"));
        } else {
            let held = asked.held_at.map(|at| format!("holding statement {at}, "));
            let how = format!("warroom press {id} --answer {number} TEXT");
            say(&format!("    {}not answered: {how}", held.unwrap_or_default()));
        }
    }
    Ok(())
}

/// Lets an update go, and the same words that wait on other incidents.
fn approve(
    context: &Context,
    (incident, update): (IncidentId, u32),
    (force, before_embargo): (Option<&String>, &str),
    also: Vec<IncidentId>,
) -> Result<(), Failure> {
    let like = if also.is_empty() {
        None
    } else {
        let head = detail(context, incident, None, 1)?.head;
        head.talk.update(update).map(|update| update.draft.likeness())
    };
    let wish = |update: u32, like: Option<String>| {
        let (force, before_embargo) = (force.cloned(), before_embargo.to_owned());
        Box::new(TalkWish::Approve { update, force, like, before_embargo })
    };
    give(context, Command::Talk { incident, talk: wish(update, None) })?;
    // One that is refused keeps no other from going.
    let mut refused = None;
    for incident in also {
        match give(context, Command::Talk { incident, talk: wish(0, like.clone()) }) {
            Err(Failure::Rejected(rejection)) => {
                warn(&format!("{incident}: {rejection}"));
                refused = Some(rejection);
            }
            other => other?,
        }
    }
    refused.map_or(Ok(()), |rejection| Err(Failure::Rejected(rejection)))
}

pub(super) fn print_update(update: &Update, incident: &Incident) {
    let draft = &update.draft;
    let how = match &update.standing {
        Standing::Waiting => {
            let how = format!("warroom approve {} {}", incident.id, draft.update);
            format!("waits for approval: {how}{}", update.uncalled_words())
        }
        Standing::Sent { at, by, forced } => {
            let forced = forced.as_ref().map(|why| format!(", nobody else looked at it: {why}"));
            format!("sent {at} by {by}{}", forced.unwrap_or_default())
        }
        Standing::Withdrawn { reason, .. } => format!("taken back {reason}"),
    };
    let subject = draft.words.first().map_or("", |words| words.subject.as_str());
    let corrects = draft.corrects.map(|n| format!(" (corrects {n})")).unwrap_or_default();
    say(&format!(
        "{:>3}{corrects} {:<8} to {} · {how}\n    {subject}",
        draft.update,
        draft.audience.word(),
        draft.to.join(", ")
    ));
    if matches!(update.standing, Standing::Waiting) {
        // Whoever lets it go reads it first.
        if let Some(status) = draft.public {
            let parts = draft.components.iter();
            let parts: Vec<String> =
                parts.map(|(name, how)| format!("{name}: {}", how.words())).collect();
            say(&format!("    status page: '{}' is {status} {}", draft.title, parts.join(", ")));
        }
        for words in &draft.words {
            for line in words.text.trim_end().lines() {
                say(&format!("    [{}] {line}", words.language));
            }
        }
    }
}

fn updates(context: &Context, id: IncidentId) -> Result<(), Failure> {
    let incident = detail(context, id, None, 1)?.head;
    if context.json {
        return say_json(&incident.talk);
    }
    if incident.talk.updates.is_empty() && incident.told.is_empty() {
        say(&format!("nobody was told of {id} yet"));
    }
    for update in &incident.talk.updates {
        print_update(update, &incident);
    }
    let known = known(context)?;
    let fault = known.desk.page_fault;
    if let Some(fault) = &fault {
        say(&format!("the status page {fault}"));
    }
    for (who, told) in &incident.told {
        let proof = incident.talk.proofs.get(who);
        let words = proof.map(|proof| proof.words(page::is_off_page(&incident, told.at)));
        let words = words.unwrap_or_default();
        let detail = proof.map(|proof| proof.detail.clone()).unwrap_or_default();
        let next = match (told.last, told.next_by) {
            (true, _) => "the last word".to_owned(),
            (false, Some(at)) => format!("next by {at}"),
            (false, None) => "nothing promised".to_owned(),
        };
        if told.count == 0 {
            say(&format!("{who:<14} not told yet · {next}"));
            continue;
        }
        say(&format!("{who:<14} told {} by {} · {next} · {words} {detail}", told.at, told.channel));
        for failure in proof.iter().flat_map(|proof| &proof.failures) {
            say(&format!("{:<14} FAILED {failure}", ""));
        }
    }
    for (who, update) in &incident.talk.by_hand {
        say(&format!("{who:<14} to be told BY HAND what update {update} says"));
    }
    // Who waits, the latest first.
    let now = wall_now();
    let mut due = promise::all(&incident, &known.plan);
    due.sort_by_key(|promise| promise.due);
    for promise in due {
        let late = if promise.due <= now { "LATE: " } else { "" };
        say(&format!("{:<14} {late}a word is due by {}", promise.who, promise.due.clock_near(now)));
    }
    Ok(())
}

fn stakeholders(context: &Context, incident: Option<IncidentId>) -> Result<(), Failure> {
    let plan = known(context)?.plan;
    let head = incident.map(|id| detail(context, id, None, 1)).transpose()?.map(|d| d.head);
    let all = plan.stakeholders.iter();
    let wanted: Vec<(&String, &Stakeholder)> =
        all.filter(|(_, who)| head.as_ref().is_none_or(|i| who.cares(i))).collect();
    if context.json {
        let map: std::collections::BTreeMap<_, _> = wanted.into_iter().collect();
        return say_json(&map);
    }
    if wanted.is_empty() {
        match &head {
            Some(incident) => say(&format!(
                "by the plan nobody must know of {} at {}",
                incident.id, incident.severity
            )),
            None => say("the plan names nobody who must know; write [stakeholders] into it"),
        }
    }
    for (name, who) in wanted {
        for line in who.matrix(&plan, name) {
            say(&line);
        }
    }
    Ok(())
}

fn report_of(context: &Context, id: IncidentId, report: Report) -> Result<(), Failure> {
    let plan = known(context)?.plan;
    let found = detail(context, id, None, 2_000)?;
    let kind = match report {
        Report::Can => Kind::Can,
        Report::Exec => Kind::Exec,
        Report::Public => Kind::Public,
        Report::Handover => Kind::Handover,
    };
    let case =
        brief::Case { incident: &found.head, events: &found.events, plan: &plan, now: wall_now() };
    let lines = brief(kind, case);
    if context.json {
        return say_json(&lines);
    }
    for line in lines {
        let entries: Vec<String> = line.entries.iter().map(|seq| format!("#{seq}")).collect();
        let rests =
            if entries.is_empty() { String::new() } else { format!("  [{}]", entries.join(" ")) };
        say(&format!("{}{rests}", line.text));
    }
    Ok(())
}
