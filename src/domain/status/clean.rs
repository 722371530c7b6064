//! A site whose texts are safe to show: no control, bidirectional or hidden character is left.
//!
//! Invariants:
//! - Every text of a site passes here; ids and titles are one line.

use super::model::{Component, Maintenance, Page, PublicIncident, PublicUpdate, Site};
use crate::domain::text::{visible, visible_lines};

/// One line of safe text.
fn line(text: &str) -> String {
    visible(text).into_owned()
}

fn lines(texts: &[String]) -> Vec<String> {
    texts.iter().map(|text| line(text)).collect()
}

impl Site {
    /// The same site, with every text made safe to show.
    #[must_use]
    pub fn cleaned(&self) -> Self {
        Self {
            page: Page {
                id: line(&self.page.id),
                name: line(&self.page.name),
                url: web_address(&self.page.url),
                zone: self.page.zone,
                updated_at: self.page.updated_at,
            },
            components: self.components.iter().map(component).collect(),
            incidents: self.incidents.iter().map(incident).collect(),
            maintenances: self.maintenances.iter().map(maintenance).collect(),
        }
    }
}

/// An address of the web without its last slashes, or nothing: what is no web address must not
/// become a link.
fn web_address(url: &str) -> String {
    let is_web = url.starts_with("https://") || url.starts_with("http://");
    let is_plain = url.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b'<' | b'>'));
    if is_web && is_plain { url.trim_end_matches('/').to_owned() } else { String::new() }
}

fn component(given: &Component) -> Component {
    Component {
        id: line(&given.id),
        name: line(&given.name),
        group: given.group.as_deref().map(line),
        description: line(&given.description),
        ..given.clone()
    }
}

fn incident(given: &PublicIncident) -> PublicIncident {
    PublicIncident {
        id: line(&given.id),
        name: line(&given.name),
        components: lines(&given.components),
        updates: given.updates.iter().map(update).collect(),
        ..given.clone()
    }
}

fn update(given: &PublicUpdate) -> PublicUpdate {
    PublicUpdate { id: line(&given.id), body: visible_lines(&given.body), ..given.clone() }
}

fn maintenance(given: &Maintenance) -> Maintenance {
    Maintenance {
        id: line(&given.id),
        name: line(&given.name),
        body: visible_lines(&given.body),
        components: lines(&given.components),
        ..given.clone()
    }
}
