//! What a plan needs of the machine that it is checked on: programs that can be run, and people who
//! may answer there.
//!
//! Invariants:
//! - Nothing here is a mistake of the plan: it may be meant for another machine, and the keeper may
//!   be another user.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::config::plan_check::behind;
use crate::domain::channel::Channel;
use crate::domain::lint::Lint;
use crate::domain::plan::Plan;

/// Programs of channels that cannot be run here; `path` is where programs are looked for.
pub fn missing(plan: &Plan, path: &str) -> Vec<Lint> {
    let programs = plan.channels.iter().filter_map(|(name, channel)| match channel {
        Channel::Program(program) => Some((name, program.argv.first()?)),
        Channel::Smtp(_) | Channel::Webhook(_) | Channel::File(_) | Channel::Terminal(_) => None,
    });
    let found = programs.filter_map(|(name, program)| {
        let what = cannot_run(program, path)?;
        Some(Lint { key: format!("channels.{name}"), what })
    });
    found.collect()
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
