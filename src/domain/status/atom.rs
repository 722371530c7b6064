//! An Atom feed (RFC 4287) of what was said, an entry for each incident.
//!
//! Invariants:
//! - Every text and address is escaped; the text of an entry is HTML that was escaped twice, as
//!   RFC 4287, section 3.1.1.2 asks.
//! - The identity of an entry stays when the entry changes.

use std::fmt::Write;

use super::json::{incident_anchor, newest_first, shortlink};
use super::model::{Impact, PublicIncident, Site};
use super::page::time_words;
use crate::domain::markup::{escape, paragraphs, token};

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
    let mut incidents: Vec<&PublicIncident> = site.incidents.iter().collect();
    incidents.sort_by_key(|incident| std::cmp::Reverse((incident.created_at, &incident.id)));
    for incident in incidents.into_iter().take(ENTRIES_MAX) {
        entry(&mut out, site, incident)?;
    }
    out.push_str("</feed>\n");
    Ok(out)
}

/// What the feed is known by: its address, or a name of its own where the page has none.
fn feed_id(site: &Site) -> String {
    if site.page.url.is_empty() {
        format!("urn:warroom:status:{}", token(&site.page.id))
    } else {
        format!("{}/", site.page.url)
    }
}

fn entry(out: &mut String, site: &Site, incident: &PublicIncident) -> std::fmt::Result {
    let id = if site.page.url.is_empty() {
        format!("{}:{}", feed_id(site), token(&incident.id))
    } else {
        shortlink(&site.page, &incident_anchor(&incident.id))
    };
    writeln!(out, "<entry>\n<id>{}</id>", escape(&id))?;
    writeln!(out, "<title>{}</title>", escape(&incident.name))?;
    writeln!(out, "<published>{}</published>", incident.created_at)?;
    writeln!(out, "<updated>{}</updated>", incident.updated_at)?;
    if !site.page.url.is_empty() {
        let kind = "rel=\"alternate\" type=\"text/html\"";
        writeln!(out, "<link {kind} href=\"{}\"/>", escape(&id))?;
    }
    writeln!(out, "<content type=\"html\">{}</content>\n</entry>", escape(&content(site, incident)))
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
