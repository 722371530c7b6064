//! From what is known of an incident to the words of an update, in every language of its readers.
//!
//! Invariants:
//! - A template of the plan stands before a shipped one of the same audience and language.

use std::collections::BTreeSet;

use crate::domain::ids::IncidentId;
use crate::domain::incident::Incident;
use crate::domain::plan::Plan;
use crate::domain::stakeholder::Audience;
use crate::domain::template::{Language, Stage, Templates};
use crate::domain::text::visible_lines;
use crate::domain::time::Timestamp;
use crate::domain::words::{Moment, Phase};
use crate::render::{Known, Output, render, shipped};

/// Everything that a draft is made of.
#[derive(Debug, Clone)]
pub struct Case<'a> {
    pub incident: &'a Incident,
    /// Other incidents that the same words are about, with their services.
    pub others: &'a [(IncidentId, Vec<String>)],
    /// Services that open incidents affect beside these.
    pub held: &'a BTreeSet<String>,
    pub plan: &'a Plan,
    /// Who reads it.
    pub audience: Audience,
    /// The title for them.
    pub title: String,
    pub what: Option<String>,
    pub impact: Option<String>,
    pub action: Option<String>,
    pub data_loss: Option<String>,
    pub lingering: Option<String>,
    /// None: the last one.
    pub next_update: Option<Timestamp>,
    pub is_first: bool,
    /// Nothing at all works, as somebody says; only then it is called an outage.
    pub is_total: bool,
    pub author: String,
    pub now: Timestamp,
}

/// The words of an update in one language.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Text {
    pub language: String,
    pub subject: String,
    pub text: String,
}

/// The shipped templates with those of a plan over them.
pub fn templates(plan: &Plan) -> Result<Templates, String> {
    let mut all = shipped().map_err(|error| error.to_string())?;
    for sheet in plan.templates.values() {
        all.take(sheet.clone());
    }
    Ok(all)
}

/// Which part of an incident's life an update tells of.
const fn stage(phase: Phase, is_last: bool) -> Stage {
    match phase {
        _ if is_last => Stage::Resolved,
        Phase::Identified => Stage::Identified,
        Phase::Monitoring => Stage::Monitoring,
        Phase::Resolved | Phase::InReview | Phase::Closed => Stage::Resolved,
        Phase::Triage | Phase::Investigating | Phase::Declined | Phase::Merged => {
            Stage::Investigating
        }
    }
}

/// The words, in English first and then in the other languages that somebody reads and that there is
/// a template for; the error says what is missing.
pub fn texts(case: &Case<'_>, languages: &BTreeSet<&str>) -> Result<Vec<Text>, String> {
    if case.next_update.is_none() && case.incident.phase().is_active() {
        return Err("it is not over: say when the next word comes, or write your own last words \
                    ('u w') where it was no incident"
            .to_owned());
    }
    let all = templates(case.plan)?;
    let stage = stage(case.incident.phase(), case.next_update.is_none());
    let english = Language::english();
    let read = languages.iter().filter_map(|name| Language::try_from((*name).to_owned()).ok());
    let mut wanted: Vec<Language> = read.collect();
    if wanted.is_empty() {
        wanted.push(english.clone());
    }
    // A language without a template is answered in English.
    let mut found: Vec<_> =
        wanted.iter().filter_map(|language| all.find(case.audience, stage, language)).collect();
    found.sort_by_key(|(key, _)| (key.language != english, (*key).clone()));
    found.dedup_by_key(|(key, _)| (*key).clone());
    let mut texts: Vec<Text> = Vec::new();
    for (key, template) in found {
        let message = render(template, &known(case), Output::Text).map_err(|e| e.to_string())?;
        let language = key.language.word().to_owned();
        let text = whole(case, message.body);
        texts.push(Text { language, subject: message.subject, text });
    }
    if texts.is_empty() {
        return Err(format!("there is no template for {} readers", case.audience.word()));
    }
    Ok(texts)
}

/// What somebody typed is in the words, also where a template has no place for it.
fn whole(case: &Case<'_>, body: String) -> String {
    let given = [&case.what, &case.impact, &case.action].into_iter().flatten();
    let given = given.map(|text| visible_lines(text).trim().to_owned());
    let missing: Vec<String> = given.filter(|text| !body.contains(text.as_str())).collect();
    if missing.is_empty() { body } else { format!("{}\n\n{body}", missing.join("\n")) }
}

fn known(case: &Case<'_>) -> Known {
    let incident = case.incident;
    let public = |name: &String| {
        let known = case.plan.services.get(name).map(|service| service.public_name.clone());
        match case.audience {
            Audience::Internal => Some(name.clone()),
            Audience::Partner | Audience::Public => known.filter(|name| !name.is_empty()),
        }
    };
    let names = case.others.iter().map(|(id, _)| id.to_string());
    let names: Vec<String> = std::iter::once(incident.id.to_string()).chain(names).collect();
    let mut services: Vec<&String> = Vec::new();
    for service in incident.services.iter().chain(case.others.iter().flat_map(|(_, all)| all)) {
        if !services.contains(&service) && !service.is_empty() {
            services.push(service);
        }
    }
    Known {
        incident: names.join(", "),
        title: case.title.clone(),
        severity: incident.severity.to_string(),
        phase: incident.phase().to_string(),
        still_affected: services
            .iter()
            .filter(|name| case.held.contains(**name))
            .filter_map(|name| public(name))
            .collect(),
        services: services.into_iter().filter_map(public).collect(),
        what: case.what.clone(),
        impact: case.impact.clone(),
        action: case.action.clone(),
        started: incident.moments.get(&Moment::Began).copied().unwrap_or(incident.opened_at),
        now: case.now,
        next_update: case.next_update,
        is_first: case.is_first,
        is_total: case.is_total,
        data_loss: case.data_loss.clone(),
        lingering: case.lingering.clone(),
        author: case.author.clone(),
        // The public reads the page's clock; between us it is UTC.
        zone: match case.audience {
            Audience::Public => case.plan.page.zone.parse().unwrap_or(chrono_tz::UTC),
            Audience::Internal | Audience::Partner => chrono_tz::UTC,
        },
    }
}
