//! Files and environment → checked values: paths, settings, the plan.
//!
//! Invariants:
//! - All mistakes are reported together, each with file, line and key.
//! - Nothing here writes to the journal or talks to a keeper.

pub mod paths;
pub mod places;
pub mod plan_check;
pub mod plan_files;
pub mod plan_host;
pub mod settings;

pub use places::line_of_key;

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
