//! Secrets in use: read from their place for one delivery, then forgotten.
//!
//! Invariants:
//! - `Debug` never shows one, no error repeats one, and `hide` takes them out of what is said.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;

use nix::fcntl::OFlag;

use crate::domain::channel::{Secret, Value};

/// The longest secret, in bytes.
const SECRET_MAX: usize = 4_096;
/// The largest file of certificates, in bytes.
const CA_FILE_MAX: usize = 1_024 * 1_024;
/// The shortest secret that is searched for in answers: a shorter one occurs by chance.
const HIDDEN_MIN: usize = 4;
/// The shortest piece of a secret that is searched for.
const PIECE_MIN: usize = 8;
/// What stands for a secret.
const HIDDEN: &str = "(secret)";

/// A secret that was read.
pub(crate) struct Resolved(String);

impl Resolved {
    /// The secret itself.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Resolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

/// Why a secret could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unreadable {
    /// The variable is not there.
    #[error(
        "the secret {0} is not in the keeper's environment; set it and start the keeper again, \
         or name a file"
    )]
    NotSet(Secret),
    /// The file cannot be read.
    #[error("cannot read the secret {0}: {1}; make the file readable for the keeper's user")]
    File(Secret, std::io::Error),
    /// There is nothing in it, or no text.
    #[error("the secret {0} is empty, longer than {SECRET_MAX} bytes or no text; write it anew")]
    NoSecret(Secret),
}

/// Reads a secret from its place.
pub(crate) async fn read(secret: &Secret) -> Result<Resolved, Unreadable> {
    let raw = match secret {
        Secret::Env(name) => {
            std::env::var(name).map_err(|_| Unreadable::NotSet(secret.clone()))?.into_bytes()
        }
        Secret::File(path) => read_file(path.clone(), SECRET_MAX)
            .await
            .map_err(|e| Unreadable::File(secret.clone(), e))?,
    };
    let mut text = String::from_utf8(raw).map_err(|_| Unreadable::NoSecret(secret.clone()))?;
    while text.ends_with(['\n', '\r']) {
        text.pop();
    }
    if text.is_empty() || text.len() > SECRET_MAX {
        return Err(Unreadable::NoSecret(secret.clone()));
    }
    Ok(Resolved(text))
}

/// Reads a value that may be a secret; the flag says whether it is one.
pub(crate) async fn read_value(value: &Value) -> Result<(Resolved, bool), Unreadable> {
    match value {
        Value::Plain(text) => Ok((Resolved(text.clone()), false)),
        Value::Secret(secret) => read(secret).await.map(|resolved| (resolved, true)),
    }
}

/// Takes secrets out of a text: some servers repeat what they were sent, whole or in part
/// (`Bearer x` as `x`, a URL as its path).
pub(crate) fn hide(text: &str, secrets: &[&Resolved]) -> String {
    let mut out = text.to_owned();
    for secret in secrets.iter().map(|secret| secret.0.as_str()) {
        if secret.len() >= HIDDEN_MIN {
            out = out.replace(secret, HIDDEN);
        }
        let pieces = secret.split([' ', '/', '?', '&', '=']);
        for piece in pieces.filter(|piece| piece.len() >= PIECE_MIN) {
            out = out.replace(piece, HIDDEN);
        }
    }
    out
}

/// Reads trusted certificates (PEM).
pub(crate) async fn read_ca(path: &str) -> Result<Vec<u8>, String> {
    let wrong = |why: &dyn fmt::Display| {
        format!("cannot read certificates from {path}: {why}; correct ca_file in the plan")
    };
    let pem = read_file(path.to_owned(), CA_FILE_MAX).await.map_err(|e| wrong(&e))?;
    if pem.len() > CA_FILE_MAX {
        return Err(wrong(&"the file is larger than 1 MiB"));
    }
    Ok(pem)
}

/// Reads at most one byte more than `max` from a regular file; never waits for a pipe's writer.
async fn read_file(path: String, max: usize) -> std::io::Result<Vec<u8>> {
    let reading = tokio::task::spawn_blocking(move || {
        let flags = OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
        let file = File::options().read(true).custom_flags(flags.bits()).open(path)?;
        if !file.metadata()?.is_file() {
            return Err(std::io::Error::other("it is not a file"));
        }
        let mut bytes = Vec::new();
        file.take(u64::try_from(max).unwrap_or(u64::MAX) + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    });
    reading.await.map_err(std::io::Error::other)?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_is_read_without_its_last_line_end() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("pw");
        std::fs::write(&path, "hunter2 \r\n").expect("written");
        let secret = Secret::File(path.display().to_string());
        let resolved = read(&secret).await.expect("a secret");
        assert_eq!(resolved.expose(), "hunter2 ");
        assert_eq!(format!("{resolved:?}"), "(secret)");
    }

    #[test]
    fn secrets_are_taken_out_of_what_is_told() {
        let hidden = |secret: &str, text| hide(text, &[&Resolved(secret.into())]);
        assert_eq!(hidden("hunter2", "535 hunter2 is wrong"), "535 (secret) is wrong");
        assert_eq!(hidden("Bearer abcdefgh", "bad: abcdefgh"), "bad: (secret)");
        assert_eq!(hidden("https://x/T0/abcdefgh", "no /T0/abcdefgh"), "no /T0/(secret)");
        assert_eq!(hidden("535", "535 is wrong"), "535 is wrong", "too short to tell");
    }

    #[tokio::test]
    async fn what_cannot_be_read_says_what_to_do() {
        let dir = tempfile::tempdir().expect("a folder");
        let here = dir.path().display().to_string();
        std::fs::write(dir.path().join("empty"), "\n").expect("written");
        nix::unistd::mkfifo(&dir.path().join("fifo"), nix::sys::stat::Mode::S_IRWXU)
            .expect("a pipe");
        for (secret, part) in [
            (Secret::Env("WARROOM_NO_SUCH_VARIABLE".into()), "set it"),
            (Secret::File(format!("{here}/absent")), "make the file readable"),
            (Secret::File(here.clone()), "not a file"),
            (Secret::File(format!("{here}/fifo")), "not a file"),
            (Secret::File(format!("{here}/empty")), "empty"),
        ] {
            let words = read(&secret).await.expect_err("unreadable").to_string();
            assert!(words.contains(part), "{words}");
        }
    }
}
