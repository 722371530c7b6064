//! What a plan needs of the machine that it is checked on: programs that can be run, and people who
//! may answer there.
//!
//! Invariants:
//! - Nothing here is a mistake of the plan: it may be meant for another machine, and the keeper may
//!   be another user. A check refuses it all the same where somebody could not be reached at all.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::config::plan_check::behind;
use crate::domain::channel::{Channel, Secret, Value};
use crate::domain::delivery::channel_of;
use crate::domain::lint::Lint;
use crate::domain::plan::Plan;

/// What channels need and this machine has not: programs, and files with secrets; `path` is where
/// programs are looked for.
pub fn missing(plan: &Plan, path: &str) -> Vec<Lint> {
    let found = plan.channels.iter().flat_map(|(name, channel)| {
        let lacks = lacks(channel, path).into_iter();
        lacks.map(move |what| Lint { key: format!("channels.{name}"), what })
    });
    found.collect()
}

/// People whom a page is meant to reach and of whose methods none works on this machine.
pub fn unreachable(plan: &Plan, path: &str) -> Vec<Lint> {
    let works = |channel: &str| {
        plan.has_channel(channel)
            && plan.channels.get(channel).is_none_or(|known| lacks(known, path).is_empty())
    };
    let levels = plan.policies.values().flat_map(|policy| policy.levels.iter());
    let targets = levels.flat_map(|level| level.targets.iter()).chain(&plan.fallback);
    let found = behind(plan, targets).into_iter().filter_map(|login| {
        let person = plan.people.get(login)?;
        let dead = !person.contacts.iter().any(|contact| works(channel_of(contact)));
        dead.then(|| Lint {
            key: format!("people.{login}"),
            what: format!("has no method that works here: {}", person.contacts.join(", ")),
        })
    });
    found.collect()
}

/// What a channel needs and this machine has not.
fn lacks(channel: &Channel, path: &str) -> Vec<String> {
    let no_file = |secret: &Secret| match secret {
        Secret::File(file) if !Path::new(file).exists() => {
            Some(format!("the secret's file {file} is not on this machine"))
        }
        Secret::File(_) | Secret::Env(_) => None,
    };
    let of = |value: &Value| match value {
        Value::Secret(secret) => no_file(secret),
        Value::Plain(_) => None,
    };
    match channel {
        Channel::Program(program) => {
            program.argv.first().and_then(|it| cannot_run(it, path)).into_iter().collect()
        }
        Channel::Smtp(smtp) => smtp.password.iter().filter_map(no_file).collect(),
        Channel::Webhook(hook) => {
            let secrets = hook.secrets.iter().filter_map(no_file);
            of(&hook.url)
                .into_iter()
                .chain(secrets)
                .chain(hook.headers.values().filter_map(of))
                .collect()
        }
        Channel::File(_) | Channel::Terminal(_) => Vec::new(),
    }
}

/// People whom a page may ask for an answer and who may not give one on this machine. `may` says it of
/// a login, where the machine knows it; who is not known here answers by a page's code.
pub fn may_not_answer(plan: &Plan, may: &dyn Fn(&str) -> Option<bool>) -> Vec<Lint> {
    let levels = plan.policies.values().flat_map(|policy| policy.levels.iter());
    let levels = levels.filter(|level| !level.informs);
    let targets = levels.flat_map(|level| level.targets.iter()).chain(&plan.fallback);
    let asked = behind(plan, targets);
    let found = asked.into_iter().filter(|who| may(who) == Some(false)).map(|who| Lint {
        key: format!("people.{who}"),
        what: "is paged and may only observe here: the answer must come by a page's code; put \
               them into a group of [rights]"
            .to_owned(),
    });
    found.collect()
}

/// Why a program cannot be run, if it cannot.
fn cannot_run(program: &str, path: &str) -> Option<String> {
    let places: Vec<PathBuf> = if program.contains('/') {
        vec![PathBuf::from(program)]
    } else {
        std::env::split_paths(path).map(|dir| dir.join(program)).collect()
    };
    if places.iter().any(|place| is_program(place)) {
        return None;
    }
    let is_there = places.iter().any(|place| place.exists());
    let why = if is_there { "may not be run" } else { "is not on this machine" };
    Some(format!("the program '{program}' {why}: nothing is sent by it here"))
}

fn is_program(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_has_no_method_that_works_is_named() {
        let text = "[channels.phone]\nkind = \"program\"\nargv = [\"/no/such\"]\n\
                    [channels.hook]\nkind = \"webhook\"\nurl = \"https://h.example.org/\"\n\
                    secrets = [\"file:/no/such\"]\n\
                    [people.ann]\ncontacts = [\"phone:1\", \"hook:a\"]\n\
                    [people.bob]\ncontacts = [\"phone:2\", \"terminal\"]\n\
                    [[policies.standard.levels]]\nname = \"L1\"\n\
                    targets = [\"person:ann\", \"person:bob\"]\n";
        let plan: Plan = toml::from_str(text).expect("a plan");
        let found = unreachable(&plan, "/usr/bin");
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].key, "people.ann");
        let missing = missing(&plan, "/usr/bin");
        assert!(missing.iter().any(|it| it.key == "channels.hook"), "{missing:?}");
    }

    #[test]
    fn a_program_that_is_not_there_is_told() {
        for (program, why) in [
            ("/bin/sh", None),
            ("sh", None),
            ("/no/such/program", Some("is not on this machine")),
            ("no-such-program", Some("is not on this machine")),
            ("/etc/passwd", Some("may not be run")),
            ("/etc", Some("may not be run")),
        ] {
            let said = cannot_run(program, "/usr/bin:/bin");
            assert_eq!(said.is_some(), why.is_some(), "{program}: {said:?}");
            assert!(said.unwrap_or_default().contains(why.unwrap_or_default()), "{program}");
        }
    }
}
