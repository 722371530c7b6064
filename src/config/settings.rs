//! Settings of one installation: what is no part of the plan.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::config::{Mistake, places};
use crate::domain::channel::Value;

/// `warroom.toml` in the home directory; every key may be left out.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Where alerts are posted to; loopback unless you put something in front of it. Empty: off.
    pub listen: String,
    /// Where the journal's twin lies; another disk, if there is one.
    pub twin_dir: Option<PathBuf>,
    /// Limits of the intake.
    pub intake: Limits,
    /// How `/v1/events` reads a sender's JSON: source → field → path (`labels.host`).
    pub mapping: BTreeMap<String, Mapping>,
    /// The keeper's own sign of life; none unless given.
    pub beacon: Option<Beacon>,
    /// Where the status page is written, and what carries it away.
    pub status: Status,
}

/// Where the status page is written, and what carries it away.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Status {
    /// The folder that another web server serves; `status` below the home unless given.
    pub dir: Option<PathBuf>,
    /// A program and its arguments that is run when a file has changed; `{address}` is the folder.
    pub publish: Vec<String>,
}

/// Who is told that the keeper is well, while its auditor is content.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Beacon {
    /// Got with GET; may be the place of a secret, `file:/path` or `env:NAME`.
    #[serde(default)]
    pub url: Option<Value>,
    /// A program and its arguments; no shell.
    #[serde(default)]
    pub program: Vec<String>,
    /// Seconds between two of them.
    #[serde(default = "beacon_every")]
    pub every_s: u32,
}

/// The least seconds between two beacons: each of them needs a round of the auditor.
pub const BEACON_LEAST_S: u32 = 20;

const fn beacon_every() -> u32 {
    60
}

/// Limits of the intake over HTTP.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// The largest body, in KiB.
    pub body_kib: usize,
    /// Posts a second for one source, in the long run.
    pub rate_per_s: u32,
    /// Connections at once.
    pub connections: usize,
    /// Seconds a request may take to arrive.
    pub timeout_s: u64,
}

/// Where a sender's JSON says what.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mapping {
    /// Path of a list of alerts, if the body holds several.
    pub list: String,
    pub name: String,
    pub summary: String,
    pub severity: String,
    pub status: String,
    /// Words of the status that mean that it is over.
    pub resolved_words: Vec<String>,
    pub fingerprint: String,
    pub starts_at: String,
    pub url: String,
    /// Label → path.
    pub labels: BTreeMap<String, String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:9119".to_owned(),
            twin_dir: None,
            intake: Limits::default(),
            mapping: BTreeMap::new(),
            beacon: None,
            status: Status::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { body_kib: 4096, rate_per_s: 100_000, connections: 512, timeout_s: 10 }
    }
}

/// Reads the settings; a missing file means the defaults. `$WARROOM_LISTEN` wins over the file.
pub fn load(path: &Path) -> Result<Settings, Vec<Mistake>> {
    let file = path.display().to_string();
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => {
            return Err(vec![Mistake {
                file,
                line: 0,
                key: String::new(),
                what: error.to_string(),
            }]);
        }
    };
    let mut settings: Settings = places::read(&file, &text)?;
    if let Ok(listen) = std::env::var("WARROOM_LISTEN") {
        if !listen.is_empty() && listen.parse::<std::net::SocketAddr>().is_err() {
            let (file, key) = ("the environment".to_owned(), "WARROOM_LISTEN".to_owned());
            let what = format!("'{listen}' is not an address; write 127.0.0.1:9119");
            return Err(vec![Mistake { file, line: 0, key, what }]);
        }
        settings.listen = listen;
    }
    let mut mistakes = Vec::new();
    let mut wrong = |key: &str, what: &str| {
        let line = places::line_of_key(&text, key);
        mistakes.push(Mistake {
            file: file.clone(),
            line,
            key: key.to_owned(),
            what: what.to_owned(),
        });
    };
    if !settings.listen.is_empty() && settings.listen.parse::<std::net::SocketAddr>().is_err() {
        wrong("listen", "is not an address; write \"127.0.0.1:9119\" or \"\" for none");
    }
    if !(1..=1_048_576).contains(&settings.intake.body_kib) {
        wrong("intake.body_kib", "must lie between 1 and 1048576");
    }
    if settings.intake.rate_per_s == 0 {
        wrong("intake.rate_per_s", "must be at least 1");
    }
    if settings.intake.connections == 0 {
        wrong("intake.connections", "must be at least 1");
    }
    if settings.beacon.as_ref().is_some_and(|b| b.url.is_none() && b.program.is_empty()) {
        wrong("beacon", "names neither a url nor a program");
    }
    if settings.beacon.as_ref().is_some_and(|b| b.every_s < BEACON_LEAST_S) {
        wrong("beacon.every_s", "must be at least 20: the auditor looks that often");
    }
    if mistakes.is_empty() { Ok(settings) } else { Err(mistakes) }
}
