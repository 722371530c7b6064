//! Where a secret lies: the plan names a file or a variable, and never holds the secret itself.
//!
//! Invariants:
//! - A `Secret` is a place, not a value: it may be shown, journaled and compared.
//! - A text that is no place is refused, and the refusal does not repeat it.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The longest place, in bytes.
const PLACE_MAX: usize = 512;

/// The place of a secret, written `file:/path` or `env:NAME`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Secret {
    /// An absolute path; the file's text without its last line end is the secret.
    File(String),
    /// A variable in the environment of the keeper.
    Env(String),
}

/// A text that is no place of a secret. The text is not repeated: it may be the secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a secret does not belong in the plan, which is journaled; \
     write file:/absolute/path or env:NAME"
)]
pub struct NotAPlace;

impl Secret {
    /// Reads `file:/path` or `env:NAME`.
    pub fn parse(text: &str) -> Result<Self, NotAPlace> {
        let is_clean = text.len() <= PLACE_MAX && !text.chars().any(char::is_control);
        if let Some(path) = text.strip_prefix("file:") {
            let is_path = is_clean && path.starts_with('/') && path.len() > 1;
            return is_path.then(|| Self::File(path.to_owned())).ok_or(NotAPlace);
        }
        let name = text.strip_prefix("env:").ok_or(NotAPlace)?;
        let is_name = is_clean
            && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        is_name.then(|| Self::Env(name.to_owned())).ok_or(NotAPlace)
    }

    /// Whether a text claims to be a place: then it is read as one, or refused.
    pub fn is_meant(text: &str) -> bool {
        text.starts_with("file:") || text.starts_with("env:")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "file:{path}"),
            Self::Env(name) => write!(f, "env:{name}"),
        }
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Serde's own error would quote what was written, which may be the secret.
        struct Place;
        impl serde::de::Visitor<'_> for Place {
            type Value = Secret;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("file:/absolute/path or env:NAME")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Secret, E> {
                Secret::parse(text).map_err(E::custom)
            }
            fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<Secret, E> {
                Err(E::custom(NotAPlace))
            }
            fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<Secret, E> {
                Err(E::custom(NotAPlace))
            }
            fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<Secret, E> {
                Err(E::custom(NotAPlace))
            }
        }
        deserializer.deserialize_any(Place)
    }
}

/// A text that may be written as it is, or be kept in the place of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// As it stands in the plan.
    Plain(String),
    /// Read when it is needed.
    Secret(Secret),
}

impl Value {
    /// The text, if the plan holds it.
    pub fn plain(&self) -> Option<&str> {
        match self {
            Self::Plain(text) => Some(text),
            Self::Secret(_) => None,
        }
    }

    /// Reads a text; one that begins like a place must be one.
    pub fn parse(text: &str) -> Result<Self, NotAPlace> {
        if Secret::is_meant(text) {
            return Secret::parse(text).map(Self::Secret);
        }
        Ok(Self::Plain(text.to_owned()))
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Plain(text) => serializer.serialize_str(text),
            Self::Secret(secret) => secret.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_written_as_they_were_read() {
        for text in ["file:/run/secrets/smtp", "env:SMTP_PASSWORD", "env:_X1"] {
            assert_eq!(Secret::parse(text).map(|s| s.to_string()), Ok(text.to_owned()));
            let json = serde_json::to_string(&Secret::parse(text).expect("a place"));
            assert_eq!(json.expect("JSON"), format!("\"{text}\""));
        }
    }

    #[test]
    fn a_literal_secret_is_refused_and_not_repeated() {
        for text in ["hunter2", "file:relative", "file:/", "env:", "env:A-B", "env:1A", "env:A\n"] {
            let refused = serde_json::from_value::<Secret>(serde_json::json!(text));
            let words = refused.expect_err("a literal").to_string();
            assert!(words.contains("file:/absolute/path or env:NAME"), "{words}");
            assert!(!words.contains("hunter2"), "{words}");
        }
    }

    #[test]
    fn a_value_is_plain_unless_it_names_a_place() {
        assert_eq!(Value::parse("text/plain"), Ok(Value::Plain("text/plain".into())));
        assert_eq!(Value::parse("env:TOKEN"), Ok(Value::Secret(Secret::Env("TOKEN".into()))));
        assert_eq!(Value::parse("env:not a name"), Err(NotAPlace));
    }
}
