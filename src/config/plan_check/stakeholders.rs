//! What is wrong with the stakeholders, templates and obligations of a plan.
//!
//! Invariants:
//! - A template that passes here can be filled in for every incident that gives what it asks for.

use crate::config::plan_check::Found;
use crate::domain::delivery::{Method, address_of};
use crate::domain::obligation::{self, Rule};
use crate::domain::plan::Plan;
use crate::domain::stakeholder::{Audience, STATUS_PAGE, Stakeholder};
use crate::domain::template::{Key, Language, Stage};
use crate::domain::words::Severity;
use crate::render;

pub(super) fn check(plan: &Plan, found: &mut Found) {
    for (name, who) in &plan.stakeholders {
        stakeholder(plan, name, who, found);
    }
    for (name, sheet) in &plan.templates {
        let parts = [
            (Stage::Investigating, &sheet.investigating),
            (Stage::Identified, &sheet.identified),
            (Stage::Monitoring, &sheet.monitoring),
            (Stage::Resolved, &sheet.resolved),
        ];
        for (stage, template) in parts {
            let key = Key { audience: sheet.audience, stage, language: sheet.language.clone() };
            for what in render::check(&key, template) {
                found.wrong(format!("templates.{name}"), what);
            }
        }
    }
    let page = &plan.page;
    if !page.zone.is_empty() && page.zone.parse::<chrono_tz::Tz>().is_err() {
        found.wrong("page.zone", format!("'{}' is no time zone; write Europe/Berlin", page.zone));
    }
    let is_web = page.url.starts_with("https://") || page.url.starts_with("http://");
    if !page.url.is_empty() && !is_web {
        found.wrong("page.url", format!("'{}' is no address of the web", page.url));
    }
    let rules = obligation::shipped().unwrap_or_default();
    let rules: Vec<&Rule> = plan.own_obligations.iter().chain(&rules).collect();
    for what in plan.calendars.check() {
        found.wrong("calendars", what);
    }
    for rule in &plan.own_obligations {
        for what in rule.check().into_iter().chain(rule.check_calendar(&plan.calendars)) {
            found.wrong("own_obligations", format!("{}: {what}", rule.id));
        }
    }
    for id in &plan.obligations {
        if !rules.iter().any(|rule| rule.id == *id) {
            let known: Vec<&str> = rules.iter().map(|rule| rule.id.as_str()).collect();
            let what = format!("names '{id}', which is no rule; use one of: {}", known.join(", "));
            found.wrong("obligations", what);
        }
    }
}

fn stakeholder(plan: &Plan, name: &str, who: &Stakeholder, found: &mut Found) {
    let key = format!("stakeholders.{name}");
    if name.contains([',', ':']) {
        found.wrong(key.clone(), "a name of a stakeholder has no comma and no colon");
    }
    if who.every_min == 0 || who.every.values().any(|minutes| *minutes == 0) {
        found.wrong(key.clone(), "'every_min' and 'every' must be at least 1 minute");
    }
    if Language::try_from(who.language.clone()).is_err() {
        found.wrong(key.clone(), format!("'{}' is no language; write en or de", who.language));
    }
    for approver in &who.approvers {
        let is_known = match approver.strip_prefix("team:") {
            Some(team) => plan.teams.contains_key(team),
            None => plan.people.contains_key(approver),
        };
        if !is_known {
            found.wrong(key.clone(), format!("the approver '{approver}' is no person or team:"));
        }
    }
    if let Some(only) = who.approvers(plan).first().filter(|_| who.approvers(plan).len() == 1) {
        let what = format!(
            "nobody but {only} may approve: what {only} writes is then for whoever commands to look at"
        );
        found.mind(key.clone(), what);
    }
    for way in who.channels.iter().chain(&who.subscribers) {
        if let Err(what) = channel(plan, way) {
            found.wrong(key.clone(), format!("'{way}': {what}"));
        }
    }
    for way in who.subscribers.iter().filter(|way| !way.contains(':')) {
        found.wrong(key.clone(), format!("the subscriber '{way}' has no address"));
    }
    if who.reads_the_page() && who.audience != Audience::Public {
        let what = "reads the status page, which is public: its audience must be \"public\"";
        found.wrong(key.clone(), what);
    }
    if who.channels.is_empty() && who.subscribers.is_empty() {
        found.mind(key.clone(), "has no channel: somebody must tell them by hand");
    }
    let is_sent = who.sendable(plan).next().is_some() || !who.subscribers.is_empty();
    if !is_sent && !who.reads_the_page() && who.from_severity < Severity::Sev5 {
        found.mind(key, "is told by hand: none of its channels is one that warroom can send by");
    }
}

/// A channel is one of ours with its address, the status page, a person, or a word for people.
fn channel(plan: &Plan, way: &str) -> Result<(), String> {
    if way.trim().eq_ignore_ascii_case(STATUS_PAGE) {
        return Ok(());
    }
    if let Some(login) = way.strip_prefix("person:") {
        let is_known = plan.people.contains_key(login);
        return if is_known { Ok(()) } else { Err("is not in [people]".to_owned()) };
    }
    let method = Method::parse(way);
    match plan.channels.get(method.channel()) {
        Some(channel) if channel.opens_events() => {
            Err("PagerDuty takes events that page; an update goes by another channel".to_owned())
        }
        // "mail" alone is for people, also where there is a channel of that name.
        Some(_) if !way.contains(':') => Ok(()),
        Some(channel) => channel.check_address(address_of(&method.name)),
        None if way.contains(':') && !plan.has_channel(method.channel()) => {
            Err(format!("there is no [channels.{}]", method.channel()))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_opens_events_elsewhere_is_no_way_to_tell_a_stakeholder() {
        let plan: Plan = toml::from_str(
            r#"
            [channels.pager]
            kind = "webhook"
            url = "https://events.example.org/v2/enqueue"
            format = "pagerduty-v2"
            [channels.hook]
            kind = "webhook"
            url = "https://chat.example.org/hook"
            format = "generic"
            "#,
        )
        .expect("a plan");
        let told = channel(&plan, "pager:0123456789abcdef0123456789abcdef");
        assert!(told.expect_err("it pages").contains("another channel"));
        for way in ["hook:desk", "phone", "status page"] {
            assert_eq!(channel(&plan, way), Ok(()), "{way}");
        }
        for way in ["person:nobody", "mail:a@example.org"] {
            assert!(channel(&plan, way).is_err(), "{way}");
        }
    }
}
