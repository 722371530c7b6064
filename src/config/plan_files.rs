//! The plan's files: read as a whole, checked as a whole.

use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::config::plan_check;
use crate::config::{Mistake, line_of_key, places};
use crate::domain::plan::Plan;

/// The plan that ships with the program.
const SHIPPED: &[(&str, &str)] = &[
    ("10-people.toml", include_str!("../../assets/plan/10-people.toml")),
    ("15-channels.toml", include_str!("../../assets/plan/15-channels.toml")),
    ("20-escalation.toml", include_str!("../../assets/plan/20-escalation.toml")),
    ("30-alerts.toml", include_str!("../../assets/plan/30-alerts.toml")),
    ("40-stakeholders.toml", include_str!("../../assets/plan/40-stakeholders.toml")),
];

/// A plan as it was read, with the digest that names it.
#[derive(Debug, Clone)]
pub struct ReadPlan {
    pub plan: Plan,
    pub digest: String,
    /// Things that are no mistakes but should be known.
    pub warnings: Vec<Mistake>,
}

/// Reads and checks the plan in a directory, or the shipped one if there is none.
/// `owner` is the login that the shipped plan's "owner" stands for.
pub fn load(dir: &Path, owner: &str) -> Result<ReadPlan, Vec<Mistake>> {
    let files = if dir.is_dir() { read_dir(dir)? } else { shipped() };
    check(&files, owner)
}

/// The shipped files, as name and text.
pub fn shipped() -> Vec<(String, String)> {
    SHIPPED.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

fn read_dir(dir: &Path) -> Result<Vec<(String, String)>, Vec<Mistake>> {
    let whole = |file: &Path, what: String| {
        vec![Mistake { file: file.display().to_string(), line: 0, key: String::new(), what }]
    };
    let mut paths: Vec<_> = fs::read_dir(dir)
        .map_err(|e| whole(dir, e.to_string()))?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .collect();
    paths.sort();
    paths
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).map_err(|e| whole(&path, e.to_string()))?;
            Ok((path.display().to_string(), text))
        })
        .collect()
}

/// Merges the files into one plan and checks it; all mistakes at once.
pub fn check(files: &[(String, String)], owner: &str) -> Result<ReadPlan, Vec<Mistake>> {
    let mut mistakes = Vec::new();
    let mut merged = toml::Table::new();
    let mut hasher = Sha256::new();
    hasher.update(owner.as_bytes());
    for (name, text) in files {
        hasher.update(text.as_bytes());
        // Each file on its own, for the line of a wrong type or an unknown key.
        match places::read::<Plan>(name, text).and_then(|_| places::read::<toml::Table>(name, text))
        {
            Ok(table) => merge(&mut merged, table, name, text, "", &mut mistakes),
            Err(found) => mistakes.extend(found),
        }
    }
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    let mut plan: Plan = merged.try_into().map_err(|error: toml::de::Error| {
        let (file, what) = ("plan".to_owned(), error.message().to_owned());
        vec![Mistake { file, line: 0, key: String::new(), what }]
    })?;
    put_owner(&mut plan, owner);
    let place = |key: &str| place_of(files, key);
    let at = |(key, what): (String, String)| {
        let (file, line) = place(&key);
        Mistake { file, line, key, what }
    };
    let found = plan_check::check(&plan);
    mistakes.extend(found.mistakes.into_iter().map(at));
    let warnings: Vec<Mistake> = found.warnings.into_iter().map(at).collect();
    if mistakes.is_empty() {
        let digest = crate::domain::text::hex(&hasher.finalize());
        Ok(ReadPlan { plan, digest, warnings })
    } else {
        Err(mistakes)
    }
}

/// Where a key is written, or the most of it.
pub fn place_of(files: &[(String, String)], key: &str) -> (String, usize) {
    let places = files.iter().map(|(name, text)| (name, places::place_of_key(text, key)));
    // Of several the first: that is where a section begins.
    let best = places.filter(|(_, (steps, _))| *steps > 0).rev().max_by_key(|(_, it)| it.0);
    best.map_or_else(|| ("plan".to_owned(), 0), |(name, (_, line))| (name.clone(), line))
}

fn merge(
    into: &mut toml::Table,
    from: toml::Table,
    file: &str,
    text: &str,
    path: &str,
    mistakes: &mut Vec<Mistake>,
) {
    for (key, value) in from {
        let full = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        match (into.get_mut(&key), value) {
            (Some(toml::Value::Table(old)), toml::Value::Table(new)) => {
                merge(old, new, file, text, &full, mistakes);
            }
            (Some(toml::Value::Array(old)), toml::Value::Array(new)) if path.is_empty() => {
                old.extend(new);
            }
            (None, value) => drop(into.insert(key, value)),
            (Some(_), _) => mistakes.push(Mistake {
                file: file.to_owned(),
                line: line_of_key(text, &full),
                key: full,
                what: "is said twice".to_owned(),
            }),
        }
    }
}

/// Replaces the shipped plan's "owner" by the login it stands for.
fn put_owner(plan: &mut Plan, owner: &str) {
    if owner == "owner" {
        return;
    }
    if let Some(person) = plan.people.remove("owner") {
        plan.people.entry(owner.to_owned()).or_insert(person);
    }
    let put = |login: &mut String| {
        if login == "owner" {
            owner.clone_into(login);
        }
    };
    plan.teams.values_mut().flatten().for_each(put);
    for schedule in plan.schedules.values_mut() {
        schedule.rotations.iter_mut().flat_map(|r| r.people.iter_mut()).for_each(put);
        schedule.overrides.iter_mut().map(|o| &mut o.person).for_each(put);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_plan_is_sound() {
        let read = check(&shipped(), "ann").expect("the shipped plan has no mistakes");
        assert!(read.plan.people.contains_key("ann"));
        assert_eq!(read.plan.rules.last().map(|rule| rule.name.as_str()), Some("default"));
    }

    #[test]
    fn all_mistakes_are_told_at_once_with_their_places() {
        let text =
            "default_policy = \"x\"\n[teams]\nops = [\"nobody\"]\n[people.ann]\nname = \"Ann\"\n";
        let mistakes = check(&[("a.toml".into(), text.into())], "ann").expect_err("mistakes");
        let told: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "a.toml:3: teams.ops: names 'nobody', who is not in [people]",
                "a.toml:1: default_policy: names the policy 'x', which does not exist",
                "a.toml:4: people.ann: has no contact method",
            ]
        );
    }

    /// The shipped plan with a change to some of its files.
    fn changed(change: impl Fn(&str, String) -> String) -> Vec<(String, String)> {
        shipped().into_iter().map(|(name, text)| (name.clone(), change(&name, text))).collect()
    }

    #[test]
    fn the_lines_of_the_readme_make_it_mail() {
        let readme = include_str!("../../README.md");
        let (_, block) = readme.split_once("# to plan/15-channels.toml\n").expect("the lines");
        let (lines, rest) = block.split_once("# in plan/10-people.toml: ").expect("the contacts");
        let contacts = rest.lines().next().expect("a line");
        let person = |text: &str| {
            let is_contacts = |line: &str| line.starts_with("contacts = ");
            let with =
                |line: &str| if is_contacts(line) { contacts } else { line }.to_owned() + "\n";
            text.lines().map(with).collect::<String>()
        };
        let files = changed(|name, text| match name {
            "15-channels.toml" => format!("{text}\n{lines}"),
            "10-people.toml" => person(&text),
            _ => text,
        });
        let read = check(&files, "ann").expect("it is sound");
        assert!(read.plan.people["ann"].contacts.iter().any(|way| way.starts_with("mail:")));
    }

    #[test]
    fn what_the_shipped_comments_propose_is_sound() {
        let files = changed(|name, text| {
            if name != "15-channels.toml" {
                return text;
            }
            // Those that lead somewhere on this machine without further files.
            let wanted = ["[channels.mail]", "[channels.phone]"];
            let mut is_in = false;
            let lines = text.lines().map(|line| {
                let bare = line.strip_prefix("# ").unwrap_or(line);
                is_in = wanted.iter().any(|head| bare.starts_with(head)) || is_in && line != "#";
                if is_in { bare.to_owned() + "\n" } else { line.to_owned() + "\n" }
            });
            lines.collect()
        });
        let read = check(&files, "ann").expect("it is sound");
        assert!(read.plan.channels.contains_key("phone"), "{:?}", read.plan.channels.keys());
    }
}
