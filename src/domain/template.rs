//! What a template is, and the sets that they come in.
//!
//! Invariants:
//! - A key of a file that is not known is refused.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::stakeholder::Audience;

/// Which part of an incident it tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    Investigating,
    Identified,
    Monitoring,
    Resolved,
}

/// A language by its short name: `en`, `de`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Language(String);

/// The languages of the templates that ship.
pub const SHIPPED: [&str; 2] = ["en", "de"];

/// What a template is chosen by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// Who reads it.
    pub audience: Audience,
    /// Which part of an incident it tells of.
    pub stage: Stage,
    /// In which language.
    pub language: Language,
}

/// The words of one update, with places for what is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// One line.
    pub subject: String,
    /// The text.
    pub body: String,
    /// The text as HTML. It is read from plans that hold one, and refused in new ones: what goes out is
    /// the text as a person left it, and HTML is made from that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
}

/// The templates of one file: one audience and language, a template for each part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sheet {
    /// Who reads them.
    pub audience: Audience,
    /// In which language they are.
    pub language: Language,
    /// While the cause is looked for.
    pub investigating: Template,
    /// When the cause is known.
    pub identified: Template,
    /// While a remedy is watched.
    pub monitoring: Template,
    /// When it is over.
    pub resolved: Template,
}

/// Every template there is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Templates(pub BTreeMap<Key, Template>);

/// A file of templates that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the templates in {file} cannot be read: {why}")]
pub struct BadTemplates {
    /// The file.
    pub file: String,
    /// What is wrong, with the place.
    pub why: String,
}

impl Stage {
    /// Every part, in order.
    pub const ALL: [Self; 4] =
        [Self::Investigating, Self::Identified, Self::Monitoring, Self::Resolved];

    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Investigating => "investigating",
            Self::Identified => "identified",
            Self::Monitoring => "monitoring",
            Self::Resolved => "resolved",
        }
    }
}

impl Language {
    /// English, which is always there.
    pub fn english() -> Self {
        Self("en".to_owned())
    }

    /// The short name.
    pub fn word(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Language {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let is_short = (2..=3).contains(&text.len());
        if is_short && text.bytes().all(|b| b.is_ascii_lowercase()) {
            Ok(Self(text))
        } else {
            Err(format!("'{text}' is no language; write its short name, like en or de"))
        }
    }
}

impl From<Language> for String {
    fn from(language: Language) -> Self {
        language.0
    }
}

impl Templates {
    /// Takes in the templates of a file; those that were there under the same key give way.
    pub fn add(&mut self, file: &str, text: &str) -> Result<(), BadTemplates> {
        let sheet: Sheet = toml::from_str(text).map_err(|error| BadTemplates {
            file: file.to_owned(),
            why: error.to_string().trim_end().to_owned(),
        })?;
        self.take(sheet);
        Ok(())
    }

    /// Takes in the templates of a sheet.
    pub fn take(&mut self, sheet: Sheet) {
        let parts = [
            (Stage::Investigating, sheet.investigating),
            (Stage::Identified, sheet.identified),
            (Stage::Monitoring, sheet.monitoring),
            (Stage::Resolved, sheet.resolved),
        ];
        for (stage, template) in parts {
            let key = Key { audience: sheet.audience, stage, language: sheet.language.clone() };
            self.0.insert(key, template);
        }
    }

    /// The template for a reader: in the language asked for, else in English.
    pub fn find(
        &self,
        audience: Audience,
        stage: Stage,
        language: &Language,
    ) -> Option<(&Key, &Template)> {
        let key = |language: &Language| Key { audience, stage, language: language.clone() };
        self.0
            .get_key_value(&key(language))
            .or_else(|| self.0.get_key_value(&key(&Language::english())))
    }
}
