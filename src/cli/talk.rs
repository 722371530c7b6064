//! Communication from the command line: updates, approvals, promises, the press, reports.

use std::collections::BTreeSet;

use clap::{Subcommand, ValueEnum};

use crate::cli::Context;
use crate::cli::act::{give, text_of, time_ahead};
use crate::cli::look::detail;
use crate::cli::oncall::known;
use crate::cli::out::{Failure, say, say_json};
use crate::clock::wall_now;
use crate::domain::brief::{self, Kind, brief};
use crate::domain::command::Command;
use crate::domain::ids::IncidentId;
use crate::domain::incident::Incident;
use crate::domain::plan::Plan;
use crate::domain::stakeholder::{Audience, Stakeholder};
use crate::domain::talk::change::{TalkWish, Words};
use crate::domain::talk::{Standing, Update, promise};
use crate::domain::time::{MINUTE_MS, Timestamp};
use crate::domain::words::PublicStatus;
use crate::render::draft::{Case, texts};
use crate::tui::forms::update::{components as proposed_parts, proposed, read_components};

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

#[derive(Debug, Subcommand)]
pub enum Talk {
    /// Tell stakeholders how it stands: words from a template, or your own.
    Update {
        #[arg(required = true)]
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
        /// Print the words and send nothing.
        #[arg(long)]
        preview: bool,
    },
    /// List updates, who was told what, and the proof.
    Updates { incident: IncidentId },
    /// Approve an update, and send it.
    Approve {
        incident: IncidentId,
        update: u32,
        /// Why nobody else can look at it; that goes on record.
        #[arg(long)]
        force: Option<String>,
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
    /// Log a question of the press, or answer it.
    Press {
        incident: IncidentId,
        /// The paper or station; with --answer: the answer.
        outlet_or_answer: String,
        #[arg(default_value = "", required_unless_present = "answer")]
        question: String,
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
    },
    /// Log how content a stakeholder was, 1 (bad) to 5 (good).
    Feedback {
        incident: IncidentId,
        stakeholder: String,
        score: u8,
        #[arg(default_value = "")]
        text: String,
    },
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
        Talk::Update { .. } => return update(context, &talk),
        Talk::Updates { incident } => return updates(context, incident),
        Talk::Stakeholders { incident } => return stakeholders(context, incident),
        Talk::Brief { incident, report } => return report_of(context, incident, report),
        Talk::Approve { incident, update, force } => {
            (incident, TalkWish::Approve { update, force })
        }
        Talk::Withdraw { incident, update, reason } => {
            (incident, TalkWish::Withdraw { update, reason })
        }
        Talk::Promise { incident, stakeholder, by, text } => {
            (incident, TalkWish::Promise { stakeholder, next_by: time_ahead(&by)?, text })
        }
        Talk::LongIncident { incident, reason, off } => {
            (incident, TalkWish::Cadence { long: !off, reason })
        }
        Talk::Press { incident, outlet_or_answer: text, answer: Some(inquiry), .. } => {
            (incident, TalkWish::AnswerInquiry { inquiry, text: text_of(text)? })
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

const fn audience_of(given: For) -> Audience {
    match given {
        For::Internal => Audience::Internal,
        For::Partner => Audience::Partner,
        For::Public => Audience::Public,
    }
}

fn update(context: &Context, talk: &Talk) -> Result<(), Failure> {
    let Talk::Update { incidents, preview, .. } = talk else { return Ok(()) };
    let plan = known(context)?.plan;
    for id in incidents {
        let incident = detail(context, *id, None, 1)?.head;
        let wish = wish(talk, &incident, &plan, context)?;
        if *preview {
            print_words(&wish);
            continue;
        }
        give(context, Command::Talk { incident: *id, talk: Box::new(wish) })?;
        let incident = detail(context, *id, None, 1)?.head;
        if let Some(update) = incident.talk.updates.last() {
            print_update(update, &incident);
        }
    }
    Ok(())
}

fn print_words(wish: &TalkWish) {
    let TalkWish::Draft { to, words, .. } = wish else { return };
    say(&format!("to {}", to.join(", ")));
    for one in words {
        say(&format!("[{}] {}\n{}", one.language, one.subject, one.text));
    }
}

fn wish(
    talk: &Talk,
    incident: &Incident,
    plan: &Plan,
    context: &Context,
) -> Result<TalkWish, Failure> {
    let Talk::Update {
        audience, to, title, next, subject, text, public, components, corrects, ..
    } = talk
    else {
        return Err(Failure::Usage("not an update".to_owned()));
    };
    let audience = audience_of(*audience);
    let names = if to.is_empty() { careful(incident, plan, audience) } else { to.clone() };
    let next_by = next_by(next.as_deref(), incident, plan, &names)?;
    let last = next_by.is_none();
    let known = |name: &String| plan.stakeholders.get(name);
    let readers: Vec<&Stakeholder> = names.iter().filter_map(known).collect();
    let words = match (subject, text) {
        (Some(subject), Some(text)) => {
            let (subject, text) = (subject.clone(), text_of(text.clone())?);
            vec![Words { language: "en".to_owned(), subject, text }]
        }
        _ => from_template(talk, incident, plan, context, (audience, &names, &readers, next_by))?,
    };
    let reads = readers.iter().any(|who| who.reads_the_page());
    // As the form proposes it: what is affected is not shown as whole.
    let given = if components.is_empty() && reads {
        proposed_parts(incident, plan)
    } else {
        components.join(" ")
    };
    let components = read_components(&given).map_err(Failure::Usage)?;
    Ok(TalkWish::Draft {
        audience,
        title: title.clone().unwrap_or_default(),
        to: names,
        words,
        next_by,
        last,
        public: public.or_else(|| reads.then(|| proposed(incident.phase()))),
        components,
        corrects: *corrects,
    })
}

/// When the next word comes; none: it is the last one.
fn next_by(
    given: Option<&str>,
    incident: &Incident,
    plan: &Plan,
    names: &[String],
) -> Result<Option<Timestamp>, Failure> {
    match given {
        Some(text) if text.trim().eq_ignore_ascii_case("last") => Ok(None),
        Some(text) => time_ahead(text).map(Some),
        // Once it is over, what is told is the last word unless somebody says otherwise.
        None if !incident.phase().is_active() => Ok(None),
        None => {
            let minutes = promise::suggested_min(incident, plan, names);
            Ok(Some(wall_now().plus(i64::from(minutes) * MINUTE_MS)))
        }
    }
}

/// Everybody of an audience who must know, or was told.
fn careful(incident: &Incident, plan: &Plan, audience: Audience) -> Vec<String> {
    let care = plan.audience_of(incident).map(|(name, _)| name);
    let mut names: Vec<String> = Vec::new();
    for name in care.chain(incident.told.keys()) {
        let is_theirs = plan.stakeholders.get(name).is_some_and(|who| who.audience == audience);
        if is_theirs && !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}

fn from_template(
    talk: &Talk,
    incident: &Incident,
    plan: &Plan,
    context: &Context,
    (audience, names, readers, next_update): (
        Audience,
        &[String],
        &[&Stakeholder],
        Option<Timestamp>,
    ),
) -> Result<Vec<Words>, Failure> {
    let Talk::Update { title, what, impact, action, data, lingering, total, .. } = talk else {
        return Ok(Vec::new());
    };
    let before = incident.talk.title(audience).map(str::to_owned);
    let title = match (title.clone(), audience, before) {
        (Some(title), ..) => title,
        (None, Audience::Internal, _) => incident.title.clone(),
        (None, _, Some(before)) => before,
        (None, _, None) => {
            let what = "say with --title what they may read as its title: ours is for us";
            return Err(Failure::Usage(what.to_owned()));
        }
    };
    let languages: BTreeSet<&str> = readers.iter().map(|who| who.language.as_str()).collect();
    let case = Case {
        incident,
        plan,
        audience,
        title,
        what: what.clone(),
        impact: impact.clone(),
        action: action.clone(),
        data_loss: data.clone(),
        lingering: lingering.clone(),
        next_update,
        is_total: *total,
        is_first: names.iter().any(|name| !incident.told.contains_key(name)),
        author: context.keeper()?.welcome.login.clone(),
        now: wall_now(),
    };
    let made = texts(&case, &languages).map_err(Failure::Usage)?;
    let words = |t: crate::render::draft::Text| Words {
        language: t.language,
        subject: t.subject,
        text: t.text,
    };
    Ok(made.into_iter().map(words).collect())
}

fn print_update(update: &Update, incident: &Incident) {
    let draft = &update.draft;
    let how = match &update.standing {
        Standing::Waiting => {
            format!("waits for approval: warroom approve {} {}", incident.id, draft.update)
        }
        Standing::Sent { at, by, forced } => {
            let forced = forced.as_ref().map(|why| format!(", nobody else looked at it: {why}"));
            format!("sent {at} by {by}{}", forced.unwrap_or_default())
        }
        Standing::Withdrawn { reason } => format!("taken back {reason}"),
    };
    let subject = draft.words.first().map_or("", |words| words.subject.as_str());
    let corrects = draft.corrects.map(|n| format!(" (corrects {n})")).unwrap_or_default();
    say(&format!(
        "{:>3}{corrects} {:<8} to {} · {how}\n    {subject}",
        draft.update,
        draft.audience.word(),
        draft.to.join(", ")
    ));
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
    let fault = known(context)?.desk.page_fault;
    if let Some(fault) = &fault {
        say(&format!("the status page {fault}"));
    }
    for (who, told) in &incident.told {
        let proof = incident.talk.proofs.get(who);
        let words = proof.map(|proof| proof.words(fault.is_some())).unwrap_or_default();
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
