//! Which keys mean which actions: the shipped keymap, and a file over it.
//!
//! Scopes are looked through from inside out. A sequence that is the beginning of another one is
//! an error at load, so that no key ever has to be waited for by the clock.

use std::collections::BTreeMap;
use std::path::Path;

use crate::config::{Mistake, line_of_key, places};
use crate::tui::action::Action;
use crate::tui::key::Key;

const SHIPPED: &str = include_str!("../../assets/keymap.toml");
/// The scopes that a keymap may have.
pub const SCOPES: &[&str] = &[
    "global",
    "queue",
    "timeline",
    "chain",
    "stakeholders",
    "alerts",
    "drafts",
    "modal",
    "list",
    "form",
];

/// The scope that is looked at after all others, and those of the panes before it.
const GLOBAL: &str = "global";
const PANES: [&str; 4] = ["queue", "timeline", "chain", "stakeholders"];

/// The line of a binding: its keys stand in quotation marks, or bare where they are a word.
fn line_of_binding(text: &str, keys: &str) -> usize {
    let quoted = format!("\"{keys}\"");
    let is_it = |line: &str| {
        let name = line.split('=').next().unwrap_or_default().trim();
        line.contains(&quoted) || name == keys
    };
    text.lines().position(is_it).map_or(0, |n| n + 1)
}

/// What a key comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolved {
    Action(Action),
    /// The beginning of a sequence.
    Pending,
    Unbound,
}

/// Keys → actions, by scope.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keymap {
    scopes: BTreeMap<String, BTreeMap<Vec<Key>, Action>>,
}

impl Keymap {
    /// The keymap that ships with the program.
    pub fn shipped() -> Self {
        let mut keymap = Self::default();
        let mistakes = keymap.add("assets/keymap.toml", SHIPPED);
        debug_assert!(mistakes.is_empty(), "the shipped keymap has mistakes: {mistakes:?}");
        keymap
    }

    /// The shipped keymap with a file over it; a missing file changes nothing.
    pub fn load(path: &Path) -> Result<Self, Vec<Mistake>> {
        let mut keymap = Self::shipped();
        let Ok(text) = std::fs::read_to_string(path) else {
            return Ok(keymap);
        };
        let mut mistakes = keymap.add(&path.display().to_string(), &text);
        mistakes.extend(keymap.shadows(&path.display().to_string(), &text));
        if mistakes.is_empty() { Ok(keymap) } else { Err(mistakes) }
    }

    /// Takes a file's bindings; all mistakes at once. The value "" unbinds.
    pub fn add(&mut self, file: &str, text: &str) -> Vec<Mistake> {
        let mistake = |line, key: &str, what: String| Mistake {
            file: file.to_owned(),
            line,
            key: key.to_owned(),
            what,
        };
        let table: toml::Table = match places::read(file, text) {
            Ok(table) => table,
            Err(mistakes) => return mistakes,
        };
        let mut mistakes = Vec::new();
        for (scope, bindings) in table {
            let Some(bindings) = bindings.as_table().filter(|_| SCOPES.contains(&scope.as_str()))
            else {
                let what = format!("is not a scope; use one of: {}", SCOPES.join(", "));
                mistakes.push(mistake(line_of_key(text, &scope), &scope, what));
                continue;
            };
            for (keys, name) in bindings {
                let full = format!("{scope}.\"{keys}\"");
                let line = line_of_binding(text, keys.as_str());
                let sequence: Result<Vec<Key>, _> =
                    keys.split(' ').filter(|k| !k.is_empty()).map(str::parse).collect();
                let action = name.as_str().map(|name| (name, Action::named(name)));
                match (sequence, action) {
                    (Err(error), _) => mistakes.push(mistake(line, &full, error.to_string())),
                    (Ok(sequence), Some(("", _))) => {
                        if let Some(map) = self.scopes.get_mut(&scope) {
                            map.remove(&sequence);
                        }
                    }
                    (Ok(sequence), Some((_, Some(action)))) if !sequence.is_empty() => {
                        self.scopes.entry(scope.clone()).or_default().insert(sequence, action);
                    }
                    (Ok(_), _) => {
                        let what = format!("{name} is not an action; 'warroom actions' lists them");
                        mistakes.push(mistake(line, &full, what));
                    }
                }
            }
        }
        mistakes
    }

    /// Sequences that could never be typed: a shorter one ends before them, in their own scope or, where
    /// the file put it there, in one that is looked at before theirs.
    fn shadows(&self, file: &str, text: &str) -> Vec<Mistake> {
        let words =
            |keys: &[Key]| keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        let own = Self::default().added(text);
        let mut found = Vec::new();
        for (scope, map) in &self.scopes {
            for short in map.keys() {
                let is_own = own.scopes.get(scope).is_some_and(|map| map.contains_key(short));
                let others = self.scopes.iter().filter(|(other, _)| {
                    *other == scope || is_own && *other == GLOBAL && PANES.contains(&&**scope)
                });
                let longer = others.flat_map(|(other, map)| map.keys().map(move |k| (other, k)));
                let long = longer
                    .filter(|(_, long)| long.len() > short.len() && long.starts_with(short))
                    .map(|(other, long)| (other, words(long)))
                    .next();
                let Some((other, long)) = long else { continue };
                let key = words(short);
                let of = if other == scope { String::new() } else { format!(" of [{other}]") };
                found.push(Mistake {
                    file: file.to_owned(),
                    line: line_of_binding(text, &key),
                    what: format!("is the beginning of '{long}'{of}, which could never be typed"),
                    key: format!("{scope}.\"{key}\""),
                });
            }
        }
        found
    }

    fn added(mut self, text: &str) -> Self {
        drop(self.add("", text));
        self
    }

    /// What the keys typed so far come to.
    pub fn resolve(&self, scopes: &[&str], pending: &mut Vec<Key>, key: Key) -> Resolved {
        pending.push(key);
        let maps = || scopes.iter().filter_map(|scope| self.scopes.get(*scope));
        if let Some(action) = maps().find_map(|map| map.get(pending.as_slice())) {
            pending.clear();
            return Resolved::Action(*action);
        }
        if maps().flat_map(BTreeMap::keys).any(|keys| keys.starts_with(pending)) {
            return Resolved::Pending;
        }
        pending.clear();
        Resolved::Unbound
    }

    /// The bindings that go on from what was typed, for hints.
    pub fn continuations(&self, scopes: &[&str], pending: &[Key]) -> Vec<(String, Action)> {
        let mut found = Vec::new();
        for map in scopes.iter().filter_map(|scope| self.scopes.get(*scope)) {
            for (keys, action) in map.iter().filter(|(keys, _)| keys.starts_with(pending)) {
                let rest = &keys[pending.len()..];
                let words: Vec<String> = rest.iter().map(ToString::to_string).collect();
                if !words.is_empty() && !found.iter().any(|(_, known)| known == action) {
                    found.push((words.join(" "), *action));
                }
            }
        }
        found
    }

    /// The keys of an action, in any scope.
    pub fn keys_of(&self, action: Action) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        for map in self.scopes.values() {
            for (keys, _) in map.iter().filter(|(_, bound)| **bound == action) {
                let text = keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
                if !found.contains(&text) {
                    found.push(text);
                }
            }
        }
        found.sort_by_key(String::len);
        found
    }

    /// The keys of an action within some scopes, the shortest first.
    pub fn keys_in(&self, scopes: &[&str], action: Action) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        for map in scopes.iter().filter_map(|scope| self.scopes.get(*scope)) {
            for (keys, _) in map.iter().filter(|(_, bound)| **bound == action) {
                found.push(keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "));
            }
        }
        found.sort_by_key(String::len);
        found.dedup();
        found
    }

    /// The shortest key of an action within some scopes.
    pub fn key_in(&self, scopes: &[&str], action: Action) -> Option<String> {
        self.continuations(scopes, &[])
            .into_iter()
            .find(|(_, bound)| *bound == action)
            .map(|(keys, _)| keys)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_binding_of_the_shipped_keymap_is_sound() {
        let keymap = Keymap::shipped();
        assert!(keymap.shadows("", "").is_empty(), "{:?}", keymap.shadows("", ""));
        for action in Action::ALL {
            assert!(!keymap.keys_of(*action).is_empty(), "{} has no key", action.name());
        }
    }

    #[test]
    fn a_key_that_hides_others_is_a_mistake_whichever_scope_they_are_in() {
        let text = "[queue]\n\"g\" = \"acknowledge\"\nack = 5\n";
        let mut keymap = Keymap::shipped();
        let mut told: Vec<String> =
            keymap.add("k.toml", text).iter().map(ToString::to_string).collect();
        told.extend(keymap.shadows("k.toml", text).iter().map(ToString::to_string));
        assert!(told.iter().any(|it| it.starts_with("k.toml:3: queue.\"ack\"")), "{told:?}");
        let hidden = "k.toml:2: queue.\"g\": is the beginning of 'g ";
        assert!(told.iter().any(|it| it.starts_with(hidden)), "{told:?}");
        assert!(told.iter().any(|it| it.contains("of [global]")), "{told:?}");
    }

    #[test]
    fn mistakes_are_told_together() {
        let mut keymap = Keymap::shipped();
        let text =
            "[queue]\n\"<nokey>\" = \"quit\"\n\"x\" = \"explode\"\n[nowhere]\n\"a\" = \"quit\"\n";
        let told: Vec<String> =
            keymap.add("k.toml", text).iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(
            told.iter()
                .any(|t| t.starts_with("k.toml:2: queue.\"<nokey>\": '<nokey>' is not a key")),
            "{told:?}"
        );
        assert!(
            told.iter()
                .any(|t| t.starts_with("k.toml:3: queue.\"x\": \"explode\" is not an action")),
            "{told:?}"
        );
    }
}
