//! The page itself: static, without a script, readable by eye, on a phone, and by ear.
//!
//! Invariants:
//! - Every text is escaped; the page may load nothing, and only its own style, named by its hash,
//!   applies.
//! - A state is always a word; color and shape only repeat it.

use std::fmt::{Result, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::history;
use super::json::{Indicator, incident_anchor, indicator, maintenance_anchor, newest_first};
use super::model::{
    Component, ComponentStatus, Impact, Maintenance, MaintenanceStatus, Page, PublicIncident, Site,
};
use super::page::{day_words, minutes_words, time_words};
use super::uptime::{Day, days, uptime_words};
use crate::domain::markup::{escape, paragraphs};
use crate::domain::time::{HOUR_MS, Timestamp};

/// The style of the page.
const STYLE: &str = include_str!("../../../assets/status/page.css");

/// How many days the bars of a component go back.
const BAR_DAYS: u32 = 90;

/// Downtime of a day from which its bar is drawn as a long one.
const LONG_MS: i64 = HOUR_MS;

/// The page of a clean site.
pub(super) fn page(site: &Site, now: Timestamp) -> std::result::Result<String, std::fmt::Error> {
    let mut out = String::with_capacity(64 * 1024);
    head(&mut out, site)?;
    overall(&mut out, site)?;
    open_incidents(&mut out, site)?;
    components(&mut out, site, now)?;
    maintenances(&mut out, site)?;
    history::past(&mut out, site, now)?;
    foot(&mut out, site)?;
    Ok(out)
}

fn head(out: &mut String, site: &Site) -> Result {
    let name = escape(&site.page.name);
    let hash = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'"
    );
    write!(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>{name} status</title>\n\
         <link rel=\"alternate\" type=\"application/atom+xml\" title=\"{name} status\" \
         href=\"history.atom\">\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <a class=\"skip\" href=\"#main\">Skip to content</a>\n\
         <header><h1>{name} status</h1></header>\n<main id=\"main\">\n"
    )
}

/// What a person came for: is it them or us.
fn overall(out: &mut String, site: &Site) -> Result {
    let (indicator, words) = indicator(site);
    let class = match indicator {
        Indicator::None => "none",
        Indicator::Minor => "minor",
        Indicator::Major => "major",
        Indicator::Critical => "critical",
    };
    writeln!(
        out,
        "<section class=\"overall {class}\" aria-labelledby=\"overall\">\
         <h2 id=\"overall\">{words}</h2><p>As of {}</p></section>",
        time(&site.page, site.page.updated_at)
    )
}

/// A time for people and for machines.
pub(super) fn time(page: &Page, at: Timestamp) -> String {
    format!("<time datetime=\"{at}\">{}</time>", escape(&time_words(page, at)))
}

fn open_incidents(out: &mut String, site: &Site) -> Result {
    let mut open: Vec<&PublicIncident> =
        site.incidents.iter().filter(|incident| incident.status.is_open()).collect();
    if open.is_empty() {
        return Ok(());
    }
    open.sort_by_key(|incident| std::cmp::Reverse((incident.impact, incident.created_at)));
    writeln!(out, "<section aria-labelledby=\"open\"><h2 id=\"open\">Open incidents</h2>")?;
    for shown in open {
        incident(out, site, shown, 3)?;
    }
    writeln!(out, "</section>")
}

/// An incident with everything that was said, its title a heading of the given level.
pub(super) fn incident(out: &mut String, site: &Site, shown: &PublicIncident, level: u8) -> Result {
    let (id, name) = (incident_anchor(&shown.id), escape(&shown.name));
    writeln!(
        out,
        "<article class=\"incident\" id=\"{id}\" aria-labelledby=\"{id}-title\">\
         <h{level} id=\"{id}-title\">{name}</h{level}>\
         <p class=\"facts\">{} · {}{}</p><ol class=\"updates\">",
        shown.impact.words(),
        shown.status.words(),
        affects(site, &shown.components)
    )?;
    for update in newest_first(shown) {
        writeln!(
            out,
            "<li><p class=\"said\"><strong>{}</strong> {}</p>{}</li>",
            update.status.words(),
            time(&site.page, update.display_at),
            paragraphs(&update.body)
        )?;
    }
    writeln!(out, "</ol></article>")
}

/// The names of the components that are affected.
fn affects(site: &Site, ids: &[String]) -> String {
    let affected = site.components.iter().filter(|component| ids.contains(&component.id));
    let names: Vec<String> = affected.map(|component| escape(&component.name)).collect();
    if names.is_empty() { String::new() } else { format!(" · affects {}", names.join(", ")) }
}

/// The components, those without a group first.
fn components(out: &mut String, site: &Site, now: Timestamp) -> Result {
    if site.components.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "<section aria-labelledby=\"components\"><h2 id=\"components\">Components</h2>\
         <p class=\"hint\">Each bar is a day of the last {BAR_DAYS}; a taller one had downtime.</p>"
    )?;
    let mut groups: Vec<Option<&str>> = vec![None];
    for component in &site.components {
        if !groups.contains(&component.group.as_deref()) {
            groups.push(component.group.as_deref());
        }
    }
    for group in groups {
        let mut members = site.components.iter().filter(|c| c.group.as_deref() == group).peekable();
        if members.peek().is_none() {
            continue;
        }
        if let Some(name) = group {
            writeln!(out, "<h3>{}</h3>", escape(name))?;
        }
        writeln!(out, "<ul class=\"components\">")?;
        for member in members {
            component(out, &site.page, member, now)?;
        }
        writeln!(out, "</ul>")?;
    }
    writeln!(out, "</section>")
}

fn component(out: &mut String, page: &Page, shown: &Component, now: Timestamp) -> Result {
    let (class, mark) = match shown.status {
        ComponentStatus::Operational => ("ok", "✓"),
        ComponentStatus::DegradedPerformance => ("degraded", "▲"),
        ComponentStatus::PartialOutage => ("partial", "◆"),
        ComponentStatus::MajorOutage => ("down", "✕"),
        ComponentStatus::UnderMaintenance => ("maintained", "■"),
    };
    writeln!(
        out,
        "<li class=\"component\"><p class=\"line\"><span class=\"name\">{}</span> \
         <span class=\"state {class}\"><span aria-hidden=\"true\">{mark}</span> {}</span></p>",
        escape(&shown.name),
        shown.status.words()
    )?;
    if !shown.description.is_empty() {
        writeln!(out, "<p class=\"description\">{}</p>", escape(&shown.description))?;
    }
    let all = days(&shown.downtime, shown.created_at, page.zone, now, BAR_DAYS);
    bars(out, &all)?;
    writeln!(out, "</li>")
}

/// Uptime as a sentence, as bars that only repeat it, and the days with downtime as a list.
fn bars(out: &mut String, all: &[Day]) -> Result {
    let down: Vec<&Day> = all.iter().filter(|day| day.down_ms > 0).collect();
    let known = all.iter().filter(|day| day.known_ms > 0).count();
    write!(out, "<div class=\"bars\" aria-hidden=\"true\">")?;
    for day in all {
        let class = match (day.known_ms, day.down_ms) {
            (0, _) => "unknown",
            (_, 0) => "up",
            (_, down) if down < LONG_MS => "short",
            (_, _) => "long",
        };
        write!(out, "<i class=\"{class}\"></i>")?;
    }
    let noun = if known == 1 { "day" } else { "days" };
    writeln!(
        out,
        "</div><p class=\"uptime\">Uptime over {known} {noun}: {}{}</p>",
        uptime_words(all),
        if down.is_empty() { ", no downtime" } else { "" }
    )?;
    if down.is_empty() {
        return Ok(());
    }
    let noun = if down.len() == 1 { "day" } else { "days" };
    write!(out, "<details><summary>{} {noun} with downtime</summary><ul>", down.len())?;
    for day in down.iter().rev() {
        write!(out, "<li>{}: {}</li>", day_words(day.date), minutes_words(day.down_ms))?;
    }
    writeln!(out, "</ul></details>")
}

fn maintenances(out: &mut String, site: &Site) -> Result {
    let mut ahead: Vec<&Maintenance> =
        site.maintenances.iter().filter(|m| m.status != MaintenanceStatus::Completed).collect();
    ahead.sort_by_key(|maintenance| (maintenance.scheduled_for, &maintenance.id));
    writeln!(
        out,
        "<section aria-labelledby=\"maintenance\">\
         <h2 id=\"maintenance\">Scheduled maintenance</h2>"
    )?;
    if ahead.is_empty() {
        writeln!(out, "<p>None is planned.</p>")?;
    }
    for planned in ahead {
        maintenance(out, site, planned, 3)?;
    }
    writeln!(out, "</section>")
}

/// One maintenance: when, how far it has come, and what it means.
pub(super) fn maintenance(out: &mut String, site: &Site, known: &Maintenance, level: u8) -> Result {
    let (id, name) = (maintenance_anchor(&known.id), escape(&known.name));
    writeln!(
        out,
        "<article class=\"incident\" id=\"{id}\" aria-labelledby=\"{id}-title\">\
         <h{level} id=\"{id}-title\">{name}</h{level}><p class=\"facts\">{} · {}{}</p>\
         <p class=\"said\">{} to {}</p>{}</article>",
        Impact::Maintenance.words(),
        if known.is_called_off() { "Called off" } else { known.status.words() },
        affects(site, &known.components),
        time(&site.page, known.scheduled_for),
        time(&site.page, known.ends_at()),
        paragraphs(&known.body)
    )
}

fn foot(out: &mut String, site: &Site) -> Result {
    writeln!(
        out,
        "</main>\n<footer><p>Times are in the zone {}. Follow along: \
         <a href=\"history.atom\">Atom feed</a>, <a href=\"summary.json\">JSON</a>.</p></footer>\n\
         </body>\n</html>",
        escape(site.page.zone.name())
    )
}
