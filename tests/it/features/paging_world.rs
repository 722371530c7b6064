//! The plan that scripts about paging run under.

use warroom::config::plan_files;
use warroom::domain::plan::Plan;

use crate::world::{World, play};

/// Bob and Dana take weekly turns (Bob is on call when scripts begin), Erik manages, Zoe executes.
const PLAN: &str = r#"
default_policy = "standard"
fallback = ["person:fay"]
fallback_every_min = 30
bundle_s = 60

[channels.mail]
kind = "smtp"
server = "127.0.0.1:2525"
tls = "none"
from = "warroom@example.org"

[channels.phone]
kind = "program"
argv = ["/bin/true", "{address}"]

[people.bob]
contacts = ["mail:bob@example.org", "phone:+491 after 3m"]
[people.dana]
contacts = ["mail:dana@example.org"]
[people.erik]
contacts = ["mail:erik@example.org"]
[people.zoe]
contacts = ["mail:zoe@example.org"]
[people.fay]
contacts = ["mail:fay@example.org"]

[teams]
seniors = ["dana", "bob"]

[rights]
warroom = "command"

[schedules.primary]
zone = "UTC"
[[schedules.primary.rotations]]
start = "2026-11-16T09:00:00"
every = "week"
people = ["dana", "bob"]

[schedules.empty]
zone = "UTC"

[[policies.standard.levels]]
name = "L1 on-call"
targets = ["schedule:primary"]

[[policies.standard.levels]]
name = "L2 senior"
targets = ["team:seniors"]
after_min = 5

[[policies.standard.levels]]
name = "manager"
targets = ["person:erik"]
after_min = 10

[[policies.standard.levels]]
name = "executive"
targets = ["person:zoe"]
after_min = 15
informs = true

[policies.standard]
from_severity = "SEV3"
[policies.standard.ack_expires_min]
SEV2 = 60

[[policies.standard.triggers]]
level = "manager"
when = { missed_promise = true }

[[policies.empty.levels]]
name = "L1"
targets = ["schedule:empty"]
[[policies.empty.levels]]
name = "L2"
targets = ["person:erik"]
after_min = 5

[policies.careful]
[[policies.careful.levels]]
name = "both"
targets = ["person:bob", "person:dana"]
mode = "all"
[[policies.careful.levels]]
name = "manager"
targets = ["person:erik"]
after_min = 10

[policies.turns]
[[policies.turns.levels]]
name = "one"
targets = ["team:seniors"]
round_robin = true

[services.payments]
policy = "standard"
[services.void]
policy = "empty"
[services.vault]
policy = "careful"
[services.robin]
policy = "turns"
"#;

pub fn plan() -> Plan {
    let files = vec![("plan.toml".to_owned(), PLAN.to_owned())];
    plan_files::check(&files, "ann").expect("the plan is sound").plan
}

#[track_caller]
pub fn check(script: &str, expected: &str) {
    let mut world = World::under(plan());
    let transcript = play(&mut world, script);
    let clean = |text: &str| {
        let lines: Vec<&str> = text.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
        lines.join("\n")
    };
    assert_eq!(clean(&transcript), clean(expected), "\nthe transcript was:\n{transcript}");
}

pub const OPEN: &str = r#"{"do":"open","title":"t","severity":"SEV2","services":["payments"]}"#;
