//! A file of the person's own machine, as it goes on record: its name, its size and its hash.
//!
//! Invariants:
//! - The file itself goes nowhere; it is read once, in pieces, and only a regular file is.

use std::io::Read;
use std::path::{Path, PathBuf};

use sha2::Digest as _;

/// What goes on record of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileFacts {
    pub name: String,
    /// In hexadecimal.
    pub sha256: String,
    pub bytes: u64,
}

/// Reads a file; the error says what is wrong with it.
pub fn read(path: &Path) -> Result<FileFacts, String> {
    let cannot = |e: std::io::Error| format!("cannot read {}: {e}", path.display());
    let mut source = std::fs::File::open(path).map_err(cannot)?;
    // A pipe or a device may never end.
    if !source.metadata().map_err(cannot)?.is_file() {
        return Err(format!("{} is not a file", path.display()));
    }
    let mut hasher = sha2::Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    let mut bytes = 0;
    loop {
        let n = source.read(&mut buffer).map_err(cannot)?;
        if n == 0 {
            break;
        }
        hasher.update(&buffer[..n]);
        bytes += n as u64;
    }
    let name = path
        .file_name()
        .map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned());
    Ok(FileFacts { name, sha256: crate::domain::text::hex(&hasher.finalize()), bytes })
}

/// What a person typed as a path; `~/` is their home.
pub fn path_of(typed: &str, home: Option<PathBuf>) -> PathBuf {
    let typed = typed.trim();
    match (typed.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(typed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_regular_files_go_on_record() {
        let told = read(Path::new("/")).expect_err("a folder");
        assert!(told.contains('/'), "{told}");
        assert!(read(Path::new("/dev/zero")).is_err(), "it never ends");
        let facts = read(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")));
        let facts = facts.expect("a file");
        assert_eq!((facts.name.as_str(), facts.sha256.len()), ("Cargo.toml", 64));
    }

    #[test]
    fn a_tilde_is_home() {
        let home = || Some(PathBuf::from("/home/ann"));
        assert_eq!(path_of("~/a.log", home()), PathBuf::from("/home/ann/a.log"));
        assert_eq!(path_of(" /tmp/x ", home()), PathBuf::from("/tmp/x"));
    }
}
