//! The two forms of an update: what is known, and the words that a template makes of it.
//!
//! Invariants:
//! - The title that we use among ourselves is never proposed to anybody outside.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::ids::IncidentId;
use crate::domain::incident::Incident;
use crate::domain::plan::Plan;
use crate::domain::row::Row;
use crate::domain::stakeholder::{Audience, Stakeholder};
use crate::domain::status::ComponentStatus;
use crate::domain::talk::change::{Draft, TalkWish, Words};
use crate::domain::talk::{Standing, promise};
use crate::domain::time::Timestamp;
use crate::domain::words::{Phase, PublicStatus, Severity};
use crate::render::draft::{Case, Text, texts};
use crate::tui::action::Action;
use crate::tui::form::{Field, Form};
use crate::tui::forms::talk::heading;
use crate::tui::forms::{About, ahead, parsed, some, words};

/// The names of the fields of each language.
const PARTS: [(&str, &str, &str); 3] = [
    ("language", "subject", "text"),
    ("language2", "subject2", "text2"),
    ("language3", "subject3", "text3"),
];

/// Those who must know and may read the same: audience → names.
fn audiences(incident: &Incident, plan: &Plan) -> BTreeMap<Audience, Vec<String>> {
    let mut found: BTreeMap<Audience, Vec<String>> = BTreeMap::new();
    for (name, who) in plan.audience_of(incident) {
        found.entry(who.audience).or_default().push(name.clone());
    }
    for name in incident.told.keys() {
        let Some(who) = plan.stakeholders.get(name) else { continue };
        let names = found.entry(who.audience).or_default();
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    found
}

/// The audience that is waited for most: that of the selected stakeholder, else of the next promise.
fn most_waited(about: &About<'_>, incident: &Incident) -> Option<Audience> {
    let of = |name: &str| about.plan.stakeholders.get(name).map(|who| who.audience);
    let is_untold = |name: &String| incident.told.get(name).is_none_or(|told| told.count == 0);
    let next = promise::next(incident, about.plan);
    // Whoever knows nothing yet comes before those who wait for more that is not late.
    let is_pressing = next.as_ref().is_some_and(|p| p.mark(about.now) >= 75);
    let untold = audiences(incident, about.plan);
    let untold = untold.into_iter().find(|(_, names)| names.iter().any(is_untold));
    about
        .stakeholder
        .as_deref()
        .and_then(of)
        .or_else(|| untold.map(|(audience, _)| audience).filter(|_| !is_pressing))
        .or_else(|| next.and_then(|p| of(p.who)))
}

/// When the next word to an audience is proposed: as often as those of it who must know wait for one.
pub fn next_for(audience: &str, incident: &Incident, plan: &Plan) -> String {
    let mut found = audiences(incident, plan).into_iter();
    let names = found.find(|(known, _)| known.word() == audience).map(|(_, names)| names);
    format!("{}m", promise::suggested_min(incident, plan, &names.unwrap_or_default()))
}

const IN_PART: &str = "in part";
const ALTOGETHER: &str = "altogether";

pub(super) fn known(about: &About<'_>) -> Vec<Field> {
    let Some(incident) = about.incident else { return Vec::new() };
    let found = audiences(incident, about.plan);
    let options: Vec<String> = found.keys().map(|a| a.word().to_owned()).collect();
    let list: Vec<String> =
        found.iter().map(|(a, names)| format!("{}: {}", a.word(), names.join(", "))).collect();
    let now = most_waited(about, incident).map_or("", Audience::word);
    let is_over = !incident.phase().is_active();
    let chosen = most_waited(about, incident);
    let names = chosen.and_then(|audience| found.get(&audience)).or(found.values().next());
    let next = promise::suggested_min(incident, about.plan, names.map_or(&[], Vec::as_slice));
    let mut fields = vec![
        Field::choice("audience", "for whom", options, now).hint(&list.join(" · ")),
        Field::line("title", "title for them", "")
            .hint("in their words; empty: as they were told before; our own people read ours"),
        Field::line("what", "what happens", "").hint("in a sentence; may be empty at first"),
        Field::line("impact", "affected", "").hint("who, where, how; may be empty"),
    ];
    if is_over {
        fields.push(
            Field::line("data_loss", "data", "")
                .hint("was data lost? It must be said at the end: 'No data was lost.'"),
        );
        fields.push(
            Field::line("lingering", "what remains", "")
                .hint("lingering impact must be named, also when there is none: 'Nothing.'"),
        );
        fields.push(Field::line("next", "next word in", "last").hint("last: nothing follows"));
    } else {
        fields.push(Field::line("action", "what we do", "").hint("may be empty"));
        let both = [IN_PART, ALTOGETHER].map(str::to_owned).to_vec();
        fields.push(
            Field::choice("total", "it fails", both, IN_PART)
                .hint("only what fails altogether is called an outage"),
        );
        fields.push(
            Field::line("next", "next word in", &format!("{next}m"))
                .hint("20m, or a time; 'last' where nothing follows")
                .proposed(),
        );
    }
    fields
}

/// Services that open incidents affect beside some.
pub fn held<'a>(
    rows: impl IntoIterator<Item = &'a Row>,
    beside: &[IncidentId],
) -> BTreeSet<String> {
    let open = rows.into_iter().filter(|row| row.phase.is_active() && !beside.contains(&row.id));
    open.flat_map(|row| row.services.split_whitespace()).map(str::to_owned).collect()
}

/// The second form, from what the first one says; the error says what is missing.
pub fn written(form: &Form, about: &About<'_>, now: Timestamp) -> Result<Form, String> {
    let incident = about.incident.ok_or("no incident is selected")?;
    let value = |name: &str| form.value(name);
    let audience = audience(&value("audience"))?;
    let names = audiences(incident, about.plan).remove(&audience).unwrap_or_default();
    let next_text = value("next");
    let next = if is_last(&next_text) { None } else { ahead(&next_text, now)? };
    if next.is_none() && !is_last(&next_text) {
        return Err("say when the next word comes: 20m, or 'last'".to_owned());
    }
    let readers: Vec<&Stakeholder> =
        names.iter().filter_map(|name| about.plan.stakeholders.get(name)).collect();
    let title = match (some(&value("title")), audience) {
        (Some(title), _) => title,
        (None, _) if form.incidents.len() > 1 => {
            return Err("say what all of them together are called: the title".to_owned());
        }
        (None, Audience::Internal) => incident.title.clone(),
        (None, Audience::Partner | Audience::Public) => incident
            .talk
            .title(audience)
            .ok_or("say what they may read as its title: ours is for us")?
            .to_owned(),
    };
    let languages: BTreeSet<&str> = readers.iter().map(|who| who.language.as_str()).collect();
    let is_first = promise::is_first(incident, &names);
    let case = Case {
        incident,
        others: &about.others,
        held: &about.held,
        plan: about.plan,
        audience,
        title: title.clone(),
        what: some(&value("what")),
        impact: some(&value("impact")),
        action: some(&value("action")),
        data_loss: some(&value("data_loss")),
        lingering: some(&value("lingering")),
        next_update: next,
        is_first,
        is_total: value("total") == ALTOGETHER,
        author: about.login.to_owned(),
        now,
    };
    let texts = texts(&case, &languages)?;
    let mut second = Form::new(
        Action::Write,
        form.title.replace(heading(Action::Update), heading(Action::Write)),
    );
    second.fields = write(about, &[audience.word()], &texts);
    second.set("to", &names.join(", "));
    // The words name a time: it is that one, however long somebody looks for better words.
    let until = next
        .map_or_else(|| "last".to_owned(), |at| format!("{} {}", at.date(), at.clock_minutes()));
    fix_next(&mut second, until);
    second.set("title", &title);
    if value("total") == ALTOGETHER && audience == Audience::Public && form.incidents.len() == 1 {
        second.set("components", &components(incident, about.plan, true));
    }
    second.incidents.clone_from(&form.incidents);
    second.seen = form.seen;
    second.at_the_top();
    second.is_changed = true;
    Ok(second)
}

/// The words say when the next one comes, so the form does not say another time.
fn fix_next(form: &mut Form, until: String) {
    if let Some(field) = form.fields.iter_mut().find(|field| field.name == "next") {
        *field = Field::choice("next", "next word by", vec![until], "")
            .hint("as the words say it; esc, and 'u u' again, for another time");
    }
}

/// The second form as it was left: with as many languages, and what goes with the readers.
pub fn restored(about: &About<'_>, draft: &str) -> Option<Form> {
    // What a draft is about, beside its fields, may be numbers and lists.
    let saved: BTreeMap<String, serde_json::Value> = serde_json::from_str(draft).ok()?;
    let get =
        |name: &str| saved.get(name).and_then(|it| it.as_str()).unwrap_or_default().to_owned();
    let texts: Vec<Text> = PARTS
        .iter()
        .filter(|(_, subject, _)| saved.contains_key(*subject))
        .map(|(language, subject, text)| Text {
            language: some(&get(language)).unwrap_or_else(|| "en".to_owned()),
            subject: get(subject),
            text: get(text),
        })
        .collect();
    let audience = get("audience");
    let names: Vec<String> = about.incidents.iter().map(ToString::to_string).collect();
    let mut form =
        Form::new(Action::Write, format!("{} {}", heading(Action::Write), names.join(", ")));
    form.fields = write(about, &[audience.as_str()], &texts);
    form.incidents.clone_from(&about.incidents);
    form.seen = about.incident.filter(|_| about.incidents.len() == 1).map(|i| i.last_seq);
    if get("next").contains(' ') {
        fix_next(&mut form, get("next"));
    }
    form.restore(draft);
    Some(form)
}

/// The words of an update as a form that was left half-written; when the next one comes is said anew.
pub fn as_draft(incident: &Incident, draft: &Draft) -> String {
    let components: Vec<String> =
        draft.components.iter().map(|(name, how)| format!("{name}={}", part_word(*how))).collect();
    let mut map = BTreeMap::from([
        ("audience", draft.audience.word().to_owned()),
        ("to", draft.to.join(", ")),
        ("title", draft.title.clone()),
        ("next", if draft.last { "last" } else { "20m" }.to_owned()),
        ("components", components.join(" ")),
        ("before_embargo", draft.before_embargo.clone()),
    ]);
    if let Some(status) = draft.public {
        map.insert("public", status.word().to_owned());
    }
    if let Some(wrong) = draft.corrects.and_then(|number| incident.talk.update(number)) {
        map.insert("corrects", named(&wrong.draft));
    }
    for ((language, subject, text), words) in PARTS.into_iter().zip(&draft.words) {
        map.insert(language, words.language.clone());
        map.insert(subject, words.subject.clone());
        map.insert(text, words.text.clone());
    }
    serde_json::to_string(&map).unwrap_or_default()
}

/// An update as it is chosen from others.
fn named(draft: &Draft) -> String {
    let subject = draft.words.first().map_or("", |words| words.subject.as_str());
    format!("{} {subject}", draft.update)
}

fn is_last(text: &str) -> bool {
    text.trim().eq_ignore_ascii_case("last")
}

fn audience(word: &str) -> Result<Audience, String> {
    Audience::ALL.into_iter().find(|audience| audience.word() == word).ok_or_else(|| {
        "by the plan nobody must know of this at its severity; u w writes to whom you name"
            .to_owned()
    })
}

/// Empty words, one for each language that somebody reads who must know, English first.
fn blank(about: &About<'_>) -> Vec<Text> {
    let care = about.incident.iter().flat_map(|incident| about.plan.audience_of(incident));
    let mut languages: Vec<&str> = care.map(|(_, who)| who.language.as_str()).collect();
    languages.sort_unstable_by_key(|language| (*language != "en", *language));
    languages.dedup();
    let of = |language: &str| Text { language: language.to_owned(), ..Text::default() };
    match languages.as_slice() {
        [] => vec![Text::default()],
        several => several.iter().take(PARTS.len()).map(|language| of(language)).collect(),
    }
}

/// The fields of the second form.
pub(super) fn write(about: &About<'_>, readers: &[&str], texts: &[Text]) -> Vec<Field> {
    let incident = about.incident;
    let readers: Vec<String> = readers.iter().map(|word| (*word).to_owned()).collect();
    let next = incident.zip(readers.first()).map(|(it, first)| next_for(first, it, about.plan));
    let next = next.unwrap_or_else(|| "20m".to_owned());
    let is_ours = readers.iter().any(|word| word == Audience::Internal.word());
    let is_public = readers.iter().any(|word| word == Audience::Public.word());
    let to = about.stakeholder.clone().unwrap_or_default();
    let mut fields = vec![
        Field::choice("audience", "for whom", readers, "")
            .hint("how much its readers may know; nobody else can get it"),
        Field::line("to", "to", &to).hint("names of stakeholders, with commas between them"),
    ];
    let is_bulk = about.incidents.len() > 1;
    // Several have names of their own, but for what they are called together towards others.
    if !(is_bulk && is_ours) {
        fields.push(
            Field::line("title", "title for them", "")
                .hint("the name that the status page shows; empty: as before"),
        );
    }
    let blank = blank(about);
    let texts = if texts.is_empty() { &blank } else { texts };
    for ((language, subject, text), made) in PARTS.into_iter().zip(texts) {
        if texts.len() > 1 || !matches!(made.language.as_str(), "" | "en") {
            fields.push(Field::choice(language, "language", vec![made.language.clone()], ""));
        }
        fields.push(Field::line(subject, "subject", &made.subject));
        fields.push(Field::text(text, "text", &made.text));
    }
    fields
        .push(Field::line("next", "next word in", &next).hint("20m, a time, or 'last'").proposed());
    if is_public {
        // For several the phase of the one under the cursor says nothing of the others.
        let of_all =
            if about.is_over { PublicStatus::Resolved } else { PublicStatus::Investigating };
        let one = incident.filter(|_| !is_bulk);
        let now = one.map_or(of_all, |i| proposed(i.phase()));
        fields.push(
            Field::choice("public", "status page", words(&PublicStatus::ALL[1..]), now.word())
                .hint("what it shows from then on, for public words; from the phase"),
        );
        let parts = incident.filter(|_| !is_bulk).map(|i| components(i, about.plan, false));
        let parts = parts.unwrap_or_default();
        fields.push(Field::line("components", "components", &parts).hint(
            "service=operational · degraded · partial · major; separated by blanks, may be empty",
        ));
    }
    let until = incident.and_then(|i| i.talk.embargo(about.now)).filter(|_| is_public);
    if let Some((asked, until)) = until {
        let hint = format!(
            "{} has one until {}; why it goes out before",
            asked.label,
            until.clock_near(about.now)
        );
        fields.push(Field::line("before_embargo", "embargo", "").hint(&hint));
    }
    let sent: Vec<String> = incident
        .iter()
        .flat_map(|i| i.talk.updates.iter().rev())
        .filter(|u| matches!(u.standing, Standing::Sent { .. }))
        .map(|u| named(&u.draft))
        .collect();
    if !sent.is_empty() && !is_bulk {
        let options = std::iter::once("nothing".to_owned()).chain(sent).collect();
        fields.push(Field::choice("corrects", "it corrects", options, "nothing"));
    }
    fields
}

/// What the status page should say in a phase.
pub fn proposed(phase: Phase) -> PublicStatus {
    match phase {
        Phase::Identified => PublicStatus::Identified,
        Phase::Monitoring => PublicStatus::Monitoring,
        Phase::Resolved | Phase::InReview | Phase::Closed => PublicStatus::Resolved,
        _ => PublicStatus::Investigating,
    }
}

/// How the affected components stand: as they were published last, else as it follows from the
/// severity. Nothing gets worse on the page because somebody writes about it, and only what fails
/// altogether is called a major outage.
pub fn components(incident: &Incident, plan: &Plan, is_total: bool) -> String {
    let status = match incident.severity {
        _ if !incident.phase().is_active() => "operational",
        _ if is_total => "major",
        Severity::Sev1 | Severity::Sev2 => "partial",
        Severity::Sev3 | Severity::Sev4 | Severity::Sev5 => "degraded",
    };
    let is_shown =
        |name: &&String| plan.services.get(*name).is_some_and(|s| !s.public_name.is_empty());
    let published = |name: &String| {
        let sent = incident.talk.updates.iter().rev();
        let mut sent = sent.filter(|update| matches!(update.standing, Standing::Sent { .. }));
        let known = sent.find_map(|update| update.draft.components.get(name))?;
        // It is affected still, or it would not be named; whole it is called at the end.
        Some(part_word(*known)).filter(|word| *word != WHOLE)
    };
    let is_active = incident.phase().is_active();
    let of = |name: &String| {
        let status = published(name).filter(|_| is_active && !is_total).unwrap_or(status);
        format!("{name}={status}")
    };
    incident.services.iter().filter(is_shown).map(of).collect::<Vec<_>>().join(" ")
}

const WHOLE: &str = "operational";

/// How a component stands, as it is typed.
const fn part_word(status: ComponentStatus) -> &'static str {
    match status {
        ComponentStatus::DegradedPerformance => "degraded",
        ComponentStatus::PartialOutage => "partial",
        ComponentStatus::MajorOutage => "major",
        ComponentStatus::Operational | ComponentStatus::UnderMaintenance => WHOLE,
    }
}

/// Who reads another language than the words of a form have.
pub(super) fn foreign(form: &Form, plan: &Plan, now: Timestamp) -> Option<String> {
    let Ok(TalkWish::Draft { to, words, .. }) = wish(form, now) else { return None };
    foreign_readers(plan, &to, &words)
}

/// Readers in whose language an update has no words: what they get instead, in a sentence.
pub fn foreign_readers(plan: &Plan, to: &[String], words: &[Words]) -> Option<String> {
    let written: Vec<&str> = words
        .iter()
        .filter(|words| !words.text.trim().is_empty())
        .map(|words| words.language.as_str())
        .collect();
    let first = *written.first()?;
    let reads = |name: &String| {
        let language = plan.stakeholders.get(name)?.language.as_str();
        let is_foreign = !language.is_empty() && !written.contains(&language);
        is_foreign.then(|| format!("{name} ({language})"))
    };
    let foreign: Vec<String> = to.iter().filter_map(reads).collect();
    (!foreign.is_empty()).then(|| {
        format!("in another language than they read: {}; they get '{first}'", foreign.join(", "))
    })
}

/// Reads `payments=partial web=operational`.
pub fn read_components(text: &str) -> Result<BTreeMap<String, ComponentStatus>, String> {
    let one = |part: &str| {
        let (name, word) = part
            .split_once('=')
            .ok_or_else(|| format!("'{part}' is no component; write payments=partial"))?;
        let status = match word.to_ascii_lowercase().as_str() {
            "operational" | "ok" => ComponentStatus::Operational,
            "degraded" | "degraded_performance" => ComponentStatus::DegradedPerformance,
            "partial" | "partial_outage" => ComponentStatus::PartialOutage,
            "major" | "major_outage" => ComponentStatus::MajorOutage,
            other => {
                let choices = "operational, degraded, partial, major";
                return Err(format!("'{other}' is no state of a component; use {choices}"));
            }
        };
        Ok((name.to_owned(), status))
    };
    text.split_whitespace().map(one).collect()
}

pub(super) fn wish(form: &Form, now: Timestamp) -> Result<TalkWish, String> {
    let value = |name: &str| form.value(name);
    let to: Vec<String> = value("to")
        .split(',')
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .collect();
    let words = PARTS
        .iter()
        .filter(|(_, subject, _)| form.fields.iter().any(|field| field.name == *subject))
        .map(|(language, subject, text)| Words {
            language: some(&value(language)).unwrap_or_else(|| "en".to_owned()),
            subject: value(subject),
            text: value(text),
        })
        .collect();
    let next = value("next");
    let last = is_last(&next);
    let corrects = value("corrects");
    let audience = audience(&value("audience"))?;
    // What others read does not go to the page, whatever its fields propose.
    let page = |name: &str| Some(value(name)).filter(|_| audience == Audience::Public);
    Ok(TalkWish::Draft {
        audience,
        title: value("title"),
        to,
        words,
        next_by: if last { None } else { ahead(&next, now)? },
        last,
        public: page("public").and_then(|w| some(&w)).map(|word| parsed(&word)).transpose()?,
        components: read_components(&page("components").unwrap_or_default())?,
        corrects: corrects.split(' ').next().and_then(|n| n.parse().ok()),
        before_embargo: value("before_embargo"),
        together: form.incidents.len() > 1,
    })
}
