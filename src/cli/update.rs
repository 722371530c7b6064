//! Updates from the command line: whose they are, what they say in each language, and when the next
//! one comes.

use std::collections::BTreeSet;

use crate::cli::Context;
use crate::cli::act::{give, text_of, time_ahead};
use crate::cli::look::{detail, rows};
use crate::cli::oncall::known;
use crate::cli::out::{Failure, say, say_json, warn};
use crate::cli::talk::{For, Talk, print_update};
use crate::clock::wall_now;
use crate::domain::command::Command;
use crate::domain::ids::IncidentId;
use crate::domain::incident::Incident;
use crate::domain::plan::Plan;
use crate::domain::stakeholder::{Audience, Stakeholder};
use crate::domain::talk::change::{TalkWish, Words};
use crate::domain::talk::promise;
use crate::domain::time::{MINUTE_MS, Timestamp};
use crate::render::draft::{Case, texts};
use crate::tui::forms::update::{
    components as proposed_parts, foreign_readers, held, proposed, read_components,
};

const fn audience_of(given: For) -> Audience {
    match given {
        For::Internal => Audience::Internal,
        For::Partner => Audience::Partner,
        For::Public => Audience::Public,
    }
}

pub(super) fn update(context: &Context, talk: &Talk) -> Result<(), Failure> {
    let Talk::Update { incidents, preview, .. } = talk else { return Ok(()) };
    let plan = known(context)?.plan;
    // The words are made once, of the first; what the page shows is each one's own.
    let heads: Vec<Incident> = incidents
        .iter()
        .map(|id| Ok(detail(context, *id, None, 1)?.head))
        .collect::<Result<_, Failure>>()?;
    let Some((first, others)) = heads.split_first() else { return Ok(()) };
    let said = said(talk, first, others, &plan, context)?;
    for incident in &heads {
        let id = &incident.id;
        let wish = wish(talk, incident, &plan, said.clone())?;
        if let Some(warning) = as_typed(talk, &wish) {
            warn(&warning);
        }
        if let TalkWish::Draft { to, words, .. } = &wish
            && let Some(warning) = foreign_readers(&plan, to, words)
        {
            warn(&format!("{warning} ('--words FILE' sends several languages)"));
        }
        if *preview {
            print_words(context, &wish)?;
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

/// What was typed stands in every language as it was typed: whoever reads another one is sent that.
fn as_typed(talk: &Talk, wish: &TalkWish) -> Option<String> {
    let Talk::Update { what, impact, action, data, lingering, words: own, .. } = talk else {
        return None;
    };
    let TalkWish::Draft { words, .. } = wish else { return None };
    let typed = [what, impact, action, data, lingering].into_iter().flatten();
    let is_typed = own.is_none() && typed.count() > 0;
    let languages: Vec<&str> = words.iter().map(|words| words.language.as_str()).collect();
    (is_typed && languages.len() > 1).then(|| {
        format!(
            "what you typed stands in all of {} as you typed it: '--preview --json' prints the \
             words, '--words FILE' sends them translated",
            languages.join(", ")
        )
    })
}

fn print_words(context: &Context, wish: &TalkWish) -> Result<(), Failure> {
    let TalkWish::Draft { to, words, .. } = wish else { return Ok(()) };
    if context.json {
        return say_json(words);
    }
    say(&format!("to {}", to.join(", ")));
    for one in words {
        say(&format!("[{}] {}\n{}", one.language, one.subject, one.text));
    }
    Ok(())
}

/// Words in several languages, as they are printed by '--preview --json'.
fn words_of(file: &str) -> Result<Vec<Words>, Failure> {
    let text = if file == "-" {
        text_of("-".to_owned())?
    } else {
        std::fs::read_to_string(file).map_err(|e| Failure::Usage(format!("{file}: {e}")))?
    };
    let form = r#"[{"language": "de", "subject": "…", "text": "…"}]"#;
    serde_json::from_str(&text)
        .map_err(|e| Failure::Usage(format!("{file}: {e}; the words look like {form}")))
}

/// What is the same about all of the incidents: the words, and when the next ones come.
#[derive(Debug, Clone)]
struct Said {
    words: Vec<Words>,
    next_by: Option<Timestamp>,
}

fn said(
    talk: &Talk,
    first: &Incident,
    others: &[Incident],
    plan: &Plan,
    context: &Context,
) -> Result<Said, Failure> {
    let Talk::Update { audience, to, next, subject, text, words, .. } = talk else {
        return Err(Failure::Usage("not an update".to_owned()));
    };
    let audience = audience_of(*audience);
    // The words are for whoever reads any of them; each goes to its own readers only.
    let mut names = to.clone();
    if to.is_empty() {
        for incident in std::iter::once(first).chain(others) {
            let own = careful(incident, plan, audience);
            names.extend(own.into_iter().filter(|name| !names.contains(name)).collect::<Vec<_>>());
        }
    }
    let next_by = next_by(next.as_deref(), first, plan, &names)?;
    let words = match (subject, text) {
        _ if words.is_some() => words_of(words.as_deref().unwrap_or_default())?,
        (Some(subject), Some(text)) => {
            let (subject, text) = (subject.clone(), text_of(text.clone())?);
            vec![Words { language: "en".to_owned(), subject, text }]
        }
        _ => from_template(talk, (first, others), plan, context, (audience, &names, next_by))?,
    };
    Ok(Said { words, next_by })
}

fn wish(
    talk: &Talk,
    incident: &Incident,
    plan: &Plan,
    Said { words, next_by }: Said,
) -> Result<TalkWish, Failure> {
    let Talk::Update {
        incidents,
        audience,
        to,
        title,
        public,
        components,
        corrects,
        before_embargo,
        total,
        ..
    } = talk
    else {
        return Err(Failure::Usage("not an update".to_owned()));
    };
    let audience = audience_of(*audience);
    let names = if to.is_empty() { careful(incident, plan, audience) } else { to.clone() };
    let readers = names.iter().filter_map(|name| plan.stakeholders.get(name));
    let reads = readers.into_iter().any(Stakeholder::reads_the_page);
    // As the form proposes it: what is affected is not shown as whole.
    let given = if components.is_empty() && reads {
        proposed_parts(incident, plan, *total)
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
        last: next_by.is_none(),
        public: public.or_else(|| reads.then(|| proposed(incident.phase()))),
        components,
        corrects: *corrects,
        before_embargo: before_embargo.clone(),
        together: incidents.len() > 1,
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
    (incident, others): (&Incident, &[Incident]),
    plan: &Plan,
    context: &Context,
    (audience, names, next_update): (Audience, &[String], Option<Timestamp>),
) -> Result<Vec<Words>, Failure> {
    let Talk::Update { title, what, impact, action, data, lingering, total, .. } = talk else {
        return Ok(Vec::new());
    };
    let before = incident.talk.title(audience).map(str::to_owned);
    let title = match (title.clone(), audience, before) {
        (Some(title), ..) => title,
        (None, ..) if !others.is_empty() => {
            let what = "say with --title what all of them together are called";
            return Err(Failure::Usage(what.to_owned()));
        }
        (None, Audience::Internal, _) => incident.title.clone(),
        (None, _, Some(before)) => before,
        (None, _, None) => {
            let what = "say with --title what they may read as its title: ours is for us";
            return Err(Failure::Usage(what.to_owned()));
        }
    };
    let readers = names.iter().filter_map(|name| plan.stakeholders.get(name));
    let languages: BTreeSet<&str> = readers.map(|who| who.language.as_str()).collect();
    let ids: Vec<IncidentId> = std::iter::once(incident).chain(others).map(|it| it.id).collect();
    let held = held(&rows(context, "", false, u32::MAX)?, &ids);
    let others: Vec<(IncidentId, Vec<String>)> =
        others.iter().map(|it| (it.id, it.services.clone())).collect();
    let case = Case {
        incident,
        others: &others,
        held: &held,
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
        is_first: promise::is_first(incident, names),
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
