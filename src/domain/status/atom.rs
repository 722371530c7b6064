//! An Atom feed (RFC 4287) of what was said, an entry for each incident and each maintenance.
//!
//! Invariants:
//! - Every text and address is escaped; the text of an entry is HTML that was escaped twice, as
//!   RFC 4287, section 3.1.1.2 asks.
//! - The identity of an entry stays when the entry changes.

use std::fmt::Write;

use super::json::{incident_anchor, maintenance_anchor, newest_first, shortlink};
use super::model::{Impact, Maintenance, PublicIncident, Site};
use super::page::time_words;
use crate::domain::markup::{escape, paragraphs, token};
use crate::domain::time::Timestamp;

/// The entries that a feed holds at most.
const ENTRIES_MAX: usize = 50;

/// The feed of a clean site.
pub(super) fn feed(site: &Site) -> Result<String, std::fmt::Error> {
    let page = &site.page;
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n");
    writeln!(out, "<feed xmlns=\"http://www.w3.org/2005/Atom\" xml:lang=\"en\">")?;
    writeln!(out, "<id>{}</id>", escape(&feed_id(site)))?;
    writeln!(out, "<title>{} status</title>", escape(&page.name))?;
    writeln!(out, "<updated>{}</updated>", page.updated_at)?;
    writeln!(out, "<author><name>{}</name></author>", escape(&page.name))?;
    if !page.url.is_empty() {
        let url = escape(&page.url);
        let kind = "type=\"application/atom+xml\"";
        writeln!(out, "<link rel=\"self\" {kind} href=\"{url}/history.atom\"/>")?;
        writeln!(out, "<link rel=\"alternate\" type=\"text/html\" href=\"{url}/\"/>")?;
    }
    let incidents = site.incidents.iter().map(|incident| Entry {
        id: &incident.id,
        anchor: incident_anchor(&incident.id),
        name: &incident.name,
        published: incident.created_at,
        updated: incident.updated_at,
        content: content(site, incident),
    });
    let works = site.maintenances.iter().map(|known| Entry {
        id: &known.id,
        anchor: maintenance_anchor(&known.id),
        name: &known.name,
        published: known.created_at,
        updated: known.updated_at,
        content: work(site, known),
    });
    let mut entries: Vec<Entry<'_>> = incidents.chain(works).collect();
    entries.sort_by(|a, b| (b.published, b.id).cmp(&(a.published, a.id)));
    for known in entries.iter().take(ENTRIES_MAX) {
        entry(&mut out, site, known)?;
    }
    out.push_str("</feed>\n");
    Ok(out)
}

/// What the feed is known by, wherever it is served: RFC 4287, 4.2.6, lets no identifier change.
fn feed_id(site: &Site) -> String {
    format!("urn:warroom:status:{}", token(&site.page.id))
}

/// What a feed tells of an incident or a maintenance.
struct Entry<'a> {
    id: &'a str,
    anchor: String,
    name: &'a str,
    published: Timestamp,
    updated: Timestamp,
    /// HTML.
    content: String,
}

fn entry(out: &mut String, site: &Site, known: &Entry<'_>) -> std::fmt::Result {
    let id = format!("{}:{}", feed_id(site), token(known.id));
    writeln!(out, "<entry>\n<id>{}</id>", escape(&id))?;
    writeln!(out, "<title>{}</title>", escape(known.name))?;
    writeln!(out, "<published>{}</published>", known.published)?;
    writeln!(out, "<updated>{}</updated>", known.updated)?;
    if !site.page.url.is_empty() {
        let kind = "rel=\"alternate\" type=\"text/html\"";
        let link = shortlink(&site.page, &known.anchor);
        writeln!(out, "<link {kind} href=\"{}\"/>", escape(&link))?;
    }
    writeln!(out, "<content type=\"html\">{}</content>\n</entry>", escape(&known.content))
}

/// When the work is, how far it has come, and what it means.
fn work(site: &Site, known: &Maintenance) -> String {
    let at = |at| escape(&time_words(&site.page, at));
    format!(
        "<p>{} · {}: {} to {}</p>{}",
        Impact::Maintenance.words(),
        known.status.words(),
        at(known.scheduled_for),
        at(known.ends_at()),
        paragraphs(&known.body)
    )
}

fn content(site: &Site, incident: &PublicIncident) -> String {
    let head = match incident.impact {
        Impact::None => String::new(),
        impact @ (Impact::Maintenance | Impact::Minor | Impact::Major | Impact::Critical) => {
            format!("<p>{}</p>", impact.words())
        }
    };
    let said = newest_first(incident).into_iter().map(|update| {
        let at = escape(&time_words(&site.page, update.display_at));
        format!(
            "<p>{at}: <strong>{}</strong></p>{}",
            update.status.words(),
            paragraphs(&update.body)
        )
    });
    said.fold(head, |all, one| all + &one)
}
