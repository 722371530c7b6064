//! What the public may see, as files for another web server to serve: JSON in the shape that
//! status page clients know, an Atom feed, and a page that needs no script.
//!
//! Invariants:
//! - Nothing here reads a clock or does I/O; writing the files is the caller's.
//! - Only what is in a [`Site`] gets out; every text of it passes through [`Site::cleaned`], and
//!   is escaped for the file it is put into.

mod atom;
mod build;
mod clean;
mod gaps;
mod history;
mod html;
mod json;
mod model;
mod page;
mod site;
mod uptime;

pub use build::{File, files};
pub use gaps::{GapStats, gap_stats, gaps_ms};
pub use json::{Indicator, indicator};
pub use model::{
    Component, ComponentStatus, Impact, IncidentStatus, Maintenance, MaintenanceStatus, Page,
    PublicIncident, PublicUpdate, Site,
};
pub use site::site;
pub use uptime::{Day, Interval, days, union_by_year, union_minutes, uptime_words};

#[cfg(test)]
mod tests_files;
#[cfg(test)]
mod tests_history;
#[cfg(test)]
mod tests_sample;
