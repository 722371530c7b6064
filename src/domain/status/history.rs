//! What is over: the incidents and the maintenance of the last two weeks, day by day.
//!
//! Invariants:
//! - A day without incidents says so; an incident that goes on is told above, and its day leads
//!   there. Of the days before anything was shown nothing is claimed.

use std::fmt::{Result, Write};

use chrono::Days;

use super::html::{incident, maintenance};
use super::json::incident_anchor;
use super::model::{Maintenance, MaintenanceStatus, PublicIncident, Site};
use super::page::day_words;
use crate::domain::markup::escape;
use crate::domain::schedule::day_of;
use crate::domain::time::Timestamp;

/// How many days are told.
const HISTORY_DAYS: u64 = 14;

/// What the last two weeks held, the newest first.
pub(super) fn past(out: &mut String, site: &Site, now: Timestamp) -> Result {
    let today = day_of(site.page.zone, now);
    let oldest = today.checked_sub_days(Days::new(HISTORY_DAYS - 1)).unwrap_or(today);
    let shown = site.components.iter().map(|component| component.created_at);
    let told = site.incidents.iter().map(|incident| incident.created_at);
    let first = shown.chain(told).min().map_or(today, |at| day_of(site.page.zone, at));
    writeln!(
        out,
        "<section aria-labelledby=\"past\"><h2 id=\"past\">Past {HISTORY_DAYS} days</h2>"
    )?;
    for date in (0..HISTORY_DAYS).filter_map(|n| today.checked_sub_days(Days::new(n))) {
        if date < first {
            let before = day_words(first);
            writeln!(out, "<p class=\"quiet\">This page knows nothing before {before}.</p>")?;
            break;
        }
        let is_here = |shown: &&PublicIncident| day_of(site.page.zone, shown.created_at) == date;
        let (open, mut shown): (Vec<&PublicIncident>, Vec<&PublicIncident>) =
            site.incidents.iter().filter(is_here).partition(|shown| shown.status.is_open());
        shown.sort_by_key(|incident| std::cmp::Reverse((incident.created_at, &incident.id)));
        writeln!(out, "<h3 class=\"day\">{}</h3>", day_words(date))?;
        for one in &open {
            let (anchor, name) = (incident_anchor(&one.id), escape(&one.name));
            writeln!(out, "<p>Goes on: <a href=\"#{anchor}\">{name}</a></p>")?;
        }
        let mut done: Vec<&Maintenance> = site
            .maintenances
            .iter()
            .filter(|known| known.status == MaintenanceStatus::Completed)
            .filter(|known| day_of(site.page.zone, known.is_past_since()) == date)
            .collect();
        done.sort_by_key(|known| std::cmp::Reverse((known.is_past_since(), &known.id)));
        // What began on an earlier day was still so on this one.
        let lasted: Vec<&PublicIncident> = site
            .incidents
            .iter()
            .filter(|one| day_of(site.page.zone, one.created_at) < date)
            .filter(|one| {
                let ended = one.resolved_at.filter(|_| !one.status.is_open()).unwrap_or(now);
                day_of(site.page.zone, ended) >= date
            })
            .collect();
        for one in &lasted {
            let (anchor, name) = (incident_anchor(&one.id), escape(&one.name));
            let since = day_words(day_of(site.page.zone, one.created_at));
            // What began before these days, and is over, stands nowhere on the page.
            let is_here = one.status.is_open() || day_of(site.page.zone, one.created_at) >= oldest;
            let link = if is_here { format!("<a href=\"#{anchor}\">{name}</a>") } else { name };
            writeln!(out, "<p>Went on, since {since}: {link}</p>")?;
        }
        if shown.is_empty() && open.is_empty() && done.is_empty() && lasted.is_empty() {
            writeln!(out, "<p class=\"quiet\">No incidents.</p>")?;
        }
        for one in shown {
            incident(out, site, one, 4)?;
        }
        for one in done {
            maintenance(out, site, one, 4)?;
        }
    }
    writeln!(out, "</section>")
}
