//! Simulated days of communication: random incidents, updates, approvals, contacts, failing channels,
//! kills. `WARROOM_DAYS` sets how many (60 here), `WARROOM_SEED` which.
//!
//! What must hold on every day: whoever must know is told in time, or the miss is announced; no
//! incident ends while somebody who was told heard no last word, but for a reason on record; every
//! message ends; the status page follows from the journal; the auditor agrees. What is due when is
//! computed here from the events alone, by the rules in words.

mod oracle;

use warroom::domain::audit::Auditor;
use warroom::domain::command::Command;
use warroom::domain::event::Body;
use warroom::domain::ids::IncidentId;
use warroom::domain::plan::Plan;
use warroom::domain::status::site;
use warroom::domain::time::{MINUTE_MS, SECOND_MS, Timestamp};
use warroom::domain::words::{AttemptResult, Phase, Severity};
use warroom::keeper::turn::Input;
use warroom::store::Reader;

use crate::features::paging_world;
use crate::sim::{SplitMix, seed};
use crate::world::World;

use oracle::Oracle;

const PEOPLE: [&str; 4] = ["ann", "bob", "dana", "fay"];

/// Name, from which severity on, minutes between words, what its readers may know.
const WHO: [(&str, Severity, i64, &str); 4] = [
    ("support", Severity::Sev3, 30, "internal"),
    ("executives", Severity::Sev2, 60, "internal"),
    ("partners", Severity::Sev2, 40, "partner"),
    ("customers", Severity::Sev2, 20, "public"),
];

fn plan() -> Plan {
    let more: Plan = toml::from_str(
        r#"
        [stakeholders.support]
        audience = "internal"
        channels = ["mail:support@example.org", "phone:+1"]
        from_severity = "SEV3"
        every_min = 30
        [stakeholders.executives]
        audience = "internal"
        channels = ["the door"]
        from_severity = "SEV2"
        every_min = 60
        [stakeholders.partners]
        audience = "partner"
        channels = ["mail:partner@example.org"]
        from_severity = "SEV2"
        every_min = 40
        [stakeholders.customers]
        audience = "public"
        channels = ["status page"]
        subscribers = ["mail:a@example.com", "mail:b@example.com"]
        from_severity = "SEV2"
        every_min = 20
        "#,
    )
    .expect("a plan");
    let mut plan = paging_world::plan();
    plan.stakeholders = more.stakeholders;
    plan
}

struct Day {
    world: World,
    random: SplitMix,
    oracle: Oracle,
    auditor: Auditor,
}

impl Day {
    fn new(seed: u64) -> Self {
        let world = World::under(plan());
        let (oracle, auditor) = (Oracle::default(), Auditor::default());
        Self { world, random: SplitMix(seed), oracle, auditor }
    }

    fn pick(&mut self, from: &[&str]) -> String {
        from[usize::try_from(self.random.below(from.len() as u64)).unwrap_or(0)].to_owned()
    }

    fn incident(&mut self) -> Option<IncidentId> {
        let ids: Vec<IncidentId> = self.world.engine.room.incidents.keys().copied().collect();
        let at = self.random.below(ids.len().max(1) as u64);
        ids.get(usize::try_from(at).unwrap_or(0)).copied()
    }

    fn later(&mut self) -> Timestamp {
        let minutes = 1 + i64::try_from(self.random.below(50)).unwrap_or(0);
        self.world.now.plus(minutes * MINUTE_MS)
    }

    fn give(&mut self, json: &serde_json::Value) {
        let who = self.pick(&PEOPLE);
        let command: Command = serde_json::from_value(json.clone()).expect("a command");
        self.world.act(&who, command);
    }

    fn update(&mut self, id: IncidentId) -> serde_json::Value {
        let (who, _, _, audience) = WHO[usize::try_from(self.random.below(4)).unwrap_or(0)];
        let last = self.random.below(4) == 0;
        let is_over = self.world.engine.room.incidents[&id].phase() == Phase::Resolved;
        let public = if last || is_over { "resolved" } else { "investigating" };
        let next = self.later();
        serde_json::json!({"do": "talk", "incident": id.0, "talk": {
            "say": "draft", "audience": audience, "to": [who], "title": "t",
            "words": [{"language": "en", "subject": "s", "text": "t"}],
            "next_by": if last { None } else { Some(next) }, "last": last,
            "together": (next.0 / MINUTE_MS) % 3 == 0,
            "public": if who == "customers" { Some(public) } else { None }}})
    }

    fn act(&mut self) {
        if self.random.below(6) == 0 || self.world.engine.room.incidents.is_empty() {
            let severity = self.pick(&["SEV1", "SEV2", "SEV3", "SEV4"]);
            let declare = self.random.below(2) == 0;
            self.give(&serde_json::json!({"do": "open", "title": "t", "severity": severity,
                "services": ["payments"], "declare": declare}));
            return;
        }
        let Some(id) = self.incident() else { return };
        let (n, who) = (id.0, self.pick(&["support", "executives", "partners", "customers", "x"]));
        let (next, update) = (self.later(), 1 + self.random.below(4));
        let silent = (self.random.below(3) == 0).then_some("no number");
        let json = match self.random.below(20) {
            0 => serde_json::json!({"do": "declare", "incident": n, "reason": ""}),
            1 => serde_json::json!({"do": "acknowledge", "incident": n}),
            2 => serde_json::json!({"do": "take-command", "incident": n}),
            3 => {
                serde_json::json!({"do": "set-severity", "incident": n, "severity": "SEV1", "reason": ""})
            }
            4 => {
                serde_json::json!({"do": "resolve", "incident": n, "reason": "fixed", "evidence": "e"})
            }
            5 => serde_json::json!({"do": "close", "incident": n, "note": "", "silent": silent}),
            6 => {
                serde_json::json!({"do": "decline", "incident": n, "reason": "false-alarm", "note": "n", "silent": silent})
            }
            7 => serde_json::json!({"do": "reopen", "incident": n, "reason": "again"}),
            8 => serde_json::json!({"do": "log-contact", "incident": n, "stakeholder": who,
                "channel": "phone", "text": "t", "next_by": null, "last": silent.is_some()}),
            9 => serde_json::json!({"do": "talk", "incident": n, "talk": {"say": "promise",
                "stakeholder": who, "next_by": next}}),
            10 | 11 => serde_json::json!({"do": "talk", "incident": n, "talk": {"say": "approve",
                "update": update, "force": silent}}),
            12 => serde_json::json!({"do": "talk", "incident": n, "talk": {"say": "cadence",
                "long": silent.is_some(), "reason": "r"}}),
            13 => {
                let Some(into) = self.incident() else { return };
                serde_json::json!({"do": "merge", "incident": n, "into": into.0})
            }
            14 => {
                let by = silent.map(|_| next);
                serde_json::json!({"do": "talk", "incident": n, "talk": {"say": "inquire",
                    "outlet": "The Paper", "question": "why?", "answer_by": by}})
            }
            15 => {
                let speaker = serde_json::json!({"do": "assign-role", "incident": n,
                    "role": "spokesperson", "person": "ann"});
                self.give(&speaker);
                let answer = serde_json::json!({"do": "talk", "incident": n, "talk": {
                    "say": "answer-inquiry", "inquiry": 1 + update % 2, "text": "no"}});
                let command = serde_json::from_value(answer).expect("a command");
                self.world.act("ann", command);
                return;
            }
            _ => self.update(id),
        };
        self.give(&json);
    }

    /// The end of a day: everything is resolved, everybody gets a last word, and it is closed where
    /// nothing speaks against it.
    fn wrap_up(&mut self) {
        let ids: Vec<u32> = self.world.engine.room.incidents.keys().map(|id| id.0).collect();
        for id in &ids {
            self.give(&serde_json::json!({"do": "resolve", "incident": id, "reason": "fixed",
                "evidence": "e"}));
            for (who, _, _, audience) in WHO {
                let public = (who == "customers").then_some("resolved");
                self.give(&serde_json::json!({"do": "talk", "incident": id, "talk": {
                    "say": "draft", "audience": audience, "to": [who], "title": "t", "public": public,
                    "words": [{"language": "en", "subject": "s", "text": "t"}], "last": true}}));
                let last = self.world.engine.room.incidents.get(&IncidentId(*id));
                let update = last.map_or(0, |incident| incident.talk.last_update);
                self.give(&serde_json::json!({"do": "talk", "incident": id, "talk": {
                    "say": "approve", "update": update, "force": "nobody else is here"}}));
            }
        }
        for _ in 0..10 {
            self.pass(MINUTE_MS);
        }
        for (id, who) in ids.iter().flat_map(|id| [(id, "executives"), (id, "x")]) {
            self.give(&serde_json::json!({"do": "log-contact", "incident": id, "stakeholder": who,
                "channel": "phone", "text": "it is over", "next_by": null, "last": true}));
        }
        for id in &ids {
            self.give(&serde_json::json!({"do": "close", "incident": id, "note": "n"}));
        }
        self.check();
    }

    /// Channels answer: most well, some not.
    fn answer(&mut self) {
        for ticket in self.world.engine.under_way().map(|(ticket, _)| ticket).collect::<Vec<_>>() {
            let result = match self.random.below(8) {
                0 => AttemptResult::Failed,
                1 => AttemptResult::Refused,
                _ => AttemptResult::Accepted,
            };
            let detail = result.word().to_owned();
            self.world.give(Input::Delivered { ticket, result, detail, wait_ms: 0 });
        }
    }

    fn pass(&mut self, span_ms: i64) {
        let until = self.world.now.plus(span_ms);
        for _ in 0..2_000 {
            let due = self.world.engine.next_due().unwrap_or(until).max(self.world.now);
            if due > until {
                break;
            }
            self.world.now = due;
            let moved = !self.world.give(Input::Tick).0.is_empty();
            self.answer();
            let is_stuck =
                !moved && self.world.engine.next_due().is_some_and(|next| next <= self.world.now);
            assert!(!is_stuck, "nothing moves: {:?}", self.world.engine.room.deadlines.first());
        }
        self.world.now = self.world.now.max(until);
        self.check();
    }

    fn check(&mut self) {
        let (oracle, auditor) = (&mut self.oracle, &mut self.auditor);
        self.world
            .journal
            .scan(oracle.seq, &mut |raw| {
                let event = raw.decode().expect("a readable event");
                oracle.see(&event);
                auditor.see(&event);
                true
            })
            .expect("a readable journal");
        self.oracle.check(self.world.now);
        let room = &self.world.engine.room;
        let mut rebuilt = room.clone();
        rebuilt.rebuild_index();
        assert_eq!(rebuilt.outbox, room.outbox, "the outbox is derived");
        assert_eq!(rebuilt.deadlines, room.deadlines, "deadlines are derived");
        let findings = self.auditor.check(self.world.now);
        assert!(findings.is_empty(), "the auditor: {findings:#?}");
    }

    fn kill(&mut self) {
        let (room, page) = (self.world.engine.room.clone(), site(&self.world.engine.room));
        self.world.restart();
        assert_eq!(self.world.engine.room, room, "the journal is the state");
        assert_eq!(site(&self.world.engine.room), page, "and so is the page");
        let (version, host) = ("test".to_owned(), "test".to_owned());
        self.world.give(Input::Own(Body::KeeperStarted { version, host }));
    }
}

#[test]
fn promises_are_kept_or_their_miss_is_announced() {
    let days: u64 = std::env::var("WARROOM_DAYS").ok().and_then(|n| n.parse().ok()).unwrap_or(60);
    let first = seed();
    for day in 0..days {
        let mut day = Day::new(first.wrapping_add(day));
        for _ in 0..80 {
            if day.random.below(20) == 0 {
                day.kill();
            } else {
                day.act();
            }
            let span = i64::try_from(day.random.below(500)).unwrap_or(0) * SECOND_MS;
            day.pass(span);
        }
        day.wrap_up();
        // Once everything has answered, nothing is on its way for ever.
        for _ in 0..30 {
            day.pass(MINUTE_MS);
        }
        let open: usize =
            day.world.engine.room.incidents.values().map(|i| i.talk.letters.len()).sum();
        assert_eq!(open, 0, "every message ends");
    }
}
