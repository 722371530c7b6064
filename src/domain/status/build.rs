//! All files of a status page.
//!
//! Invariants:
//! - The same site and the same present give the same bytes.

use super::json::{Body, Part};
use super::model::Site;
use super::{atom, html};
use crate::domain::time::Timestamp;

/// One file to be served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Where it belongs, below the folder that is served.
    pub path: &'static str,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// The files of a site as it stands now.
pub fn files(site: &Site, now: Timestamp) -> Vec<File> {
    let site = &site.cleaned();
    let json = |path, part| {
        let mut bytes = serde_json::to_vec_pretty(&Body::of(site, &part))
            .expect("invariant: a body has only string keys, so it always serializes");
        bytes.push(b'\n');
        File { path, bytes }
    };
    let text = |path, text: Result<String, std::fmt::Error>| File {
        path,
        bytes: text.expect("invariant: writing to a string cannot fail").into_bytes(),
    };
    vec![
        json("summary.json", Part::Summary),
        json("status.json", Part::Status),
        json("components.json", Part::Components),
        json("incidents.json", Part::Incidents),
        json("incidents/unresolved.json", Part::Unresolved),
        json("scheduled-maintenances.json", Part::Maintenances),
        text("history.atom", atom::feed(site)),
        text("index.html", html::page(site, now)),
    ]
}
