//! Where in a TOML file something is written, and everything that is wrong with its types.
//!
//! Invariants:
//! - One mistake does not hide the others: what is wrong is put aside, and the rest is read again.
//! - What is missing only because it was put aside is not told.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a document holds tables and lists; all other values are leaves"
)]

use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer, Error};

use crate::config::Mistake;

/// Mistakes that are told of one file; a file with more is another kind of file.
const MISTAKES_MAX: usize = 50;

/// Reads a file's text as `T`, or tells all that is wrong with it as TOML and with the types of
/// its values, in the order of the file.
pub fn read<T: for<'de> Deserialize<'de>>(file: &str, text: &str) -> Result<T, Vec<Mistake>> {
    let (mut document, unreadable) = DeTable::parse_recoverable(text);
    if !unreadable.is_empty() {
        // Later ones mostly follow from the first on the same line.
        let mut told: Vec<Mistake> =
            unreadable.iter().map(|error| mistake(file, text, error, String::new())).collect();
        told.dedup_by_key(|mistake| mistake.line);
        told.truncate(MISTAKES_MAX);
        return Err(told);
    }
    let (mut mistakes, mut aside) = (Vec::new(), Vec::new());
    while mistakes.len() < MISTAKES_MAX && aside.len() < 2 * MISTAKES_MAX {
        let error = match T::deserialize(Deserializer::from(document.clone())) {
            Ok(read) if mistakes.is_empty() => return Ok(read),
            Ok(_) => break,
            Err(error) => error,
        };
        let path = error.span().and_then(|span| path_to(document.get_ref(), span.start));
        let missing = missing_field(&error);
        let own = |path: &Vec<Step>| {
            let field = missing.map(|name| Step::Key(name.to_owned()));
            let whole: Vec<Step> = path.iter().cloned().chain(field).collect();
            missing.is_some() && aside.contains(&whole)
        };
        if !path.as_ref().is_some_and(own) {
            let key = path.as_deref().map(key_of).unwrap_or_default();
            mistakes.push(mistake(file, text, &error, key));
        }
        let Some(path) = path else { break };
        let gone = if missing.is_some() { unit(&path).to_vec() } else { path };
        put_aside(document.get_mut(), &gone);
        aside.push(gone);
    }
    mistakes.sort_by_key(|mistake| mistake.line);
    Err(mistakes)
}

fn mistake(file: &str, text: &str, error: &Error, key: String) -> Mistake {
    let line = error.span().map_or(0, |span| line_of(text, span.start));
    Mistake { file: file.to_owned(), line, key, what: error.message().to_owned() }
}

/// The line of a byte offset in a text, counted from 1.
fn line_of(text: &str, offset: usize) -> usize {
    let before = &text.as_bytes()[..offset.min(text.len())];
    memchr::memchr_iter(b'\n', before).count() + 1
}

/// The line on which a key (`people.bob`, `rules`) is written; 0 if it is not. Of a key that is
/// not written itself, the line of what it would be in.
pub fn line_of_key(text: &str, key: &str) -> usize {
    place_of_key(text, key).1
}

/// How many steps of a key are written in a text, and the line of the last of them. A key that is
/// written counts as endlessly many.
pub fn place_of_key(text: &str, key: &str) -> (usize, usize) {
    let (document, _) = DeTable::parse_recoverable(text);
    let (mut steps, mut offset, mut rest) = (0, None, key);
    let mut table = Some(document.get_ref());
    while let Some(here) = table.take() {
        // Names may hold dots themselves: the longest one that fits is meant.
        let fitting = here.iter().filter_map(|(name, value)| {
            let after = rest.strip_prefix(name.get_ref().as_ref())?;
            (after.is_empty() || after.starts_with('.')).then_some((name, value, after))
        });
        let Some((name, value, after)) = fitting.min_by_key(|(_, _, after)| after.len()) else {
            break;
        };
        offset = Some(name.span().start);
        steps += 1;
        if after.is_empty() {
            steps = usize::MAX;
            break;
        }
        rest = &after[1..];
        table = value.get_ref().as_table();
    }
    (steps, offset.map_or(0, |offset| line_of(text, offset)))
}

/// A step into a document.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(usize),
}

/// The innermost value whose key or text is at an offset.
fn path_to(table: &DeTable<'_>, offset: usize) -> Option<Vec<Step>> {
    let is_here = |span: Range<usize>| span.contains(&offset);
    for (name, value) in table {
        let step = || Step::Key(name.get_ref().to_string());
        if let Some(inner) = path_within(value, offset) {
            return Some(std::iter::once(step()).chain(inner).collect());
        }
        // A key that heads several tables has its place at the first of them.
        if is_here(name.span()) {
            return Some(vec![step()]);
        }
    }
    None
}

fn path_within(value: &Spanned<DeValue<'_>>, offset: usize) -> Option<Vec<Step>> {
    let inner = match value.get_ref() {
        DeValue::Table(table) => path_to(table, offset),
        DeValue::Array(array) => array.iter().enumerate().find_map(|(index, element)| {
            let inner = path_within(element, offset)?;
            Some(std::iter::once(Step::Index(index)).chain(inner).collect())
        }),
        _ => None,
    };
    inner.or_else(|| value.span().contains(&offset).then(Vec::new))
}

/// `policies.primary.levels.2.delay_min`: elements are counted from 1, as people do.
fn key_of(path: &[Step]) -> String {
    let words: Vec<String> = path
        .iter()
        .map(|step| match step {
            Step::Key(name) => name.clone(),
            Step::Index(index) => (index + 1).to_string(),
        })
        .collect();
    words.join(".")
}

fn missing_field(error: &Error) -> Option<&str> {
    error.message().strip_prefix("missing field `")?.strip_suffix('`')
}

/// What is put aside where something is missing: the innermost element of a list, or the entry of
/// a section.
fn unit(path: &[Step]) -> &[Step] {
    let is_index = |step: &Step| matches!(step, Step::Index(_));
    let last = path.iter().rposition(is_index);
    let end = last.map_or(2, |last| last + 1).min(path.len());
    &path[..end]
}

fn put_aside(table: &mut DeTable<'_>, path: &[Step]) {
    let Some((Step::Key(name), rest)) = path.split_first() else { return };
    let known = table.keys().find(|key| key.get_ref().as_ref() == name.as_str()).cloned();
    let Some(key) = known else { return };
    if rest.is_empty() {
        table.remove(&key);
    } else if let Some(value) = table.get_mut(&key) {
        put_aside_within(value, rest);
    }
}

fn put_aside_within(value: &mut Spanned<DeValue<'_>>, path: &[Step]) {
    match (value.get_mut(), path.split_first()) {
        (DeValue::Table(table), _) => put_aside(table, path),
        (DeValue::Array(array), Some((Step::Index(index), rest))) => {
            if rest.is_empty() {
                let kept = array.iter().enumerate().filter(|(place, _)| place != index);
                *array = kept.map(|(_, element)| element.clone()).collect();
            } else if let Some(element) = array.get_mut(*index) {
                put_aside_within(element, rest);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::plan::Plan;

    fn told(text: &str) -> Vec<String> {
        let mistakes = read::<Plan>("a.toml", text).expect_err("mistakes");
        mistakes.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_mistake_of_a_file_is_told_at_its_line() {
        let text = "\
default_policy = 5
[people.ann]
name = \"Ann\"
nmae = \"Ann\"
contacts = \"bell\"
[people.bob]
name = \"Bob\"
contcts = [\"bell\"]
[[policies.primary.levels]]
name = \"L1\"
targets = [\"person:ann\"]
[[policies.primary.levels]]
name = \"L2\"
targets = \"person:bob\"
";
        let told = told(text);
        assert_eq!(told.len(), 5, "{told:#?}");
        for (line, key) in [
            (1, "default_policy"),
            (4, "people.ann.nmae"),
            (5, "people.ann.contacts"),
            (8, "people.bob.contcts"),
            (14, "policies.primary.levels.2.targets"),
        ] {
            let start = format!("a.toml:{line}: {key}: ");
            assert!(told.iter().any(|it| it.starts_with(&start)), "{start} in {told:#?}");
        }
    }

    #[test]
    fn what_is_put_aside_is_not_missed() {
        let text =
            "[people.ann]\nname = 5\n[people.bob]\ncontacts = [\"bell\", 5]\n[[rules]]\nname = 1\n";
        let told = told(text);
        let missing: Vec<&String> = told.iter().filter(|it| it.contains("missing")).collect();
        assert!(missing.iter().all(|it| !it.contains("people.ann")), "{told:#?}");
        assert!(
            missing.iter().all(|it| !it.contains("rules.1: missing field `name`")),
            "{told:#?}"
        );
        assert!(
            told.iter().any(|it| it.starts_with("a.toml:4: people.bob.contacts.2: ")),
            "{told:#?}"
        );
    }

    #[test]
    fn what_cannot_be_read_is_told_line_by_line() {
        let text = "default_policy = \"x\n[people.ann]\nname = Ann\n";
        let told = told(text);
        assert!(told[0].starts_with("a.toml:1: "), "{told:#?}");
        assert!(told.iter().any(|it| it.starts_with("a.toml:3: ")), "{told:#?}");
    }

    #[test]
    fn a_key_is_found_where_it_is_written_and_not_where_its_name_occurs() {
        let text = "# people.bob\n[teams]\nops = [\"bob\"]\n[people.\"bob.k\"]\nname = \"b\"\n[people.bob]\nname = \"bob\"\n";
        assert_eq!(place_of_key(text, "people.bob"), (usize::MAX, 6));
        assert_eq!(place_of_key(text, "people.bob.k"), (usize::MAX, 4));
        assert_eq!(place_of_key(text, "people.bob.zone"), (2, 6));
        assert_eq!(place_of_key(text, "bob"), (0, 0));
    }
}
