//! Limits on what one alert may carry, and text that may be anything in JSON.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use crate::domain::event::AlertFacts;
use crate::domain::post::Incoming;
use crate::domain::text::cut_bytes;

/// Labels of one alert, and annotations.
const ENTRIES_MAX: usize = 64;
const LABEL_BYTES_MAX: usize = 1_024;
const LABELS_BYTES_MAX: usize = 4 * 1_024;
const ANNOTATION_BYTES_MAX: usize = 4 * 1_024;
const ANNOTATIONS_BYTES_MAX: usize = 8 * 1_024;
const LINE_BYTES_MAX: usize = 1_024;
/// Says that something was cut.
const CUT: &str = "…[cut]";

/// Cuts an alert to what is kept of it; what was cut says so.
pub fn cap(mut incoming: Incoming) -> Incoming {
    let facts = &mut incoming.facts;
    cap_map(&mut facts.labels, LABEL_BYTES_MAX, LABELS_BYTES_MAX);
    cap_map(&mut facts.annotations, ANNOTATION_BYTES_MAX, ANNOTATIONS_BYTES_MAX);
    for line in [&mut facts.name, &mut facts.summary, &mut facts.url] {
        cap_text(line, LINE_BYTES_MAX);
    }
    cap_text(&mut incoming.severity_word, 64);
    if incoming.fingerprint.len() > 255 {
        let labels = BTreeMap::from([(String::new(), incoming.fingerprint.clone())]);
        incoming.fingerprint = super::fingerprint_of(&labels);
    }
    incoming
}

fn cap_text(text: &mut String, bytes: usize) {
    if cut_bytes(text, bytes) {
        text.push_str(CUT);
    }
}

fn cap_map(map: &mut BTreeMap<String, String>, each: usize, all: usize) {
    let mut total = 0;
    let mut kept = 0;
    map.retain(|key, value| {
        cap_text(value, each);
        total += key.len() + value.len();
        kept += 1;
        key.len() <= each && total <= all && kept <= ENTRIES_MAX
    });
}

/// A string, number, boolean or null, as text: senders are not all strict.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Loose(pub String);

impl<'de> Deserialize<'de> for Loose {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Loose;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a text")
            }
            fn visit_str<E>(self, text: &str) -> Result<Loose, E> {
                Ok(Loose(text.to_owned()))
            }
            fn visit_bool<E>(self, value: bool) -> Result<Loose, E> {
                Ok(Loose(value.to_string()))
            }
            fn visit_i64<E>(self, value: i64) -> Result<Loose, E> {
                Ok(Loose(value.to_string()))
            }
            fn visit_u64<E>(self, value: u64) -> Result<Loose, E> {
                Ok(Loose(value.to_string()))
            }
            fn visit_f64<E>(self, value: f64) -> Result<Loose, E> {
                Ok(Loose(value.to_string()))
            }
            fn visit_unit<E>(self) -> Result<Loose, E> {
                Ok(Loose::default())
            }
            fn visit_seq<A: serde::de::SeqAccess<'de>>(
                self,
                mut seq: A,
            ) -> Result<Loose, A::Error> {
                let mut parts = Vec::new();
                while let Some(part) = seq.next_element::<Loose>()? {
                    parts.push(part.0);
                }
                Ok(Loose(parts.join(",")))
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<Loose, A::Error> {
                let mut parts = Vec::new();
                while let Some((key, value)) = map.next_entry::<String, Loose>()? {
                    parts.push(format!("{key}={}", value.0));
                }
                Ok(Loose(parts.join(",")))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// Reads a map of loose texts as plain texts, for serde's `deserialize_with`.
pub fn plain<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, String>, D::Error> {
    struct Visitor;
    impl<'de> serde::de::Visitor<'de> for Visitor {
        type Value = BTreeMap<String, String>;
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a map of texts")
        }
        fn visit_map<A: serde::de::MapAccess<'de>>(
            self,
            mut map: A,
        ) -> Result<Self::Value, A::Error> {
            let mut texts = BTreeMap::new();
            while let Some((key, value)) = map.next_entry::<String, Loose>()? {
                texts.insert(key, value.0);
            }
            Ok(texts)
        }
    }
    deserializer.deserialize_map(Visitor)
}

/// What people read first: the annotation that is meant for it, or none.
pub fn summary_of(facts: &AlertFacts) -> String {
    ["summary", "message", "title", "description"]
        .iter()
        .find_map(|key| facts.annotations.get(*key).filter(|text| !text.is_empty()))
        .map(|text| text.lines().next().unwrap_or_default().to_owned())
        .unwrap_or_default()
}
