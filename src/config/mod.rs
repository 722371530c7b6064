//! Files and environment → checked values: paths, settings, the plan.
//!
//! Invariants:
//! - All mistakes are reported together, each with file, line and key.
//! - Nothing here writes to the journal or talks to a keeper.

pub mod paths;
pub mod plan_check;
pub mod plan_files;
pub mod settings;

/// A mistake in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    pub file: String,
    /// 1 for the first; 0 where the file as a whole is meant.
    pub line: usize,
    /// The key, or the empty string.
    pub key: String,
    pub what: String,
}

impl std::fmt::Display for Mistake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        write!(f, ": {}", self.what)
    }
}

impl Mistake {
    /// What is wrong with a file as TOML, or with the types of its values.
    pub fn of_toml(file: &str, text: &str, error: &toml::de::Error) -> Self {
        Self {
            file: file.to_owned(),
            line: error.span().map_or(0, |span| line_of(text, span.start)),
            key: String::new(),
            what: error.message().to_owned(),
        }
    }
}

/// The line of a byte offset in a text, counted from 1.
fn line_of(text: &str, offset: usize) -> usize {
    let before = &text.as_bytes()[..offset.min(text.len())];
    memchr::memchr_iter(b'\n', before).count() + 1
}

/// The line on which a key (`people.bob`, `rules`) is written, as far as that can be seen.
pub fn line_of_key(text: &str, key: &str) -> usize {
    let last = key.rsplit('.').next().unwrap_or(key);
    let found = text.lines().position(|line| {
        let line = line.trim_start();
        line.contains(key) && line.starts_with('[')
            || line.strip_prefix(last).is_some_and(|rest| rest.trim_start().starts_with('='))
    });
    let anywhere = || text.lines().position(|line| line.contains(last));
    found.or_else(anywhere).map_or(0, |index| index + 1)
}
