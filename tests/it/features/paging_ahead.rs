//! What a plan would do, told ahead of time: the plan's check, who would be paged, what comes next.

use warroom::domain::duty::Desk;
use warroom::domain::lint::lint;
use warroom::domain::outlook;
use warroom::domain::plan::Quiet;
use warroom::domain::reach::Asked;
use warroom::domain::words::Severity;

use crate::features::paging_quiet::{incident, under};
use crate::features::paging_world::OPEN;
use crate::world::{START, World, play};

#[test]
fn the_plan_s_check_looks_ahead_at_hours_shifts_and_what_can_be_sent() {
    let levels = r#"
        [[levels]]
        name = "L1"
        targets = ["schedule:daily"]
        when = { weekdays = ["mon", "tue", "wed", "thu", "fri"] }
        [[levels]]
        name = "L2"
        targets = ["person:dana"]
        when = { weekdays = ["mon", "tue", "wed", "thu", "fri"] }
        after_min = 5"#;
    let mut plan = under(levels);
    let daily = r#"
        zone = "UTC"
        [[rotations]]
        start = "2026-11-16T09:00:00"
        every = "day"
        people = ["dana", "bob"]"#;
    plan.schedules.insert("daily".to_owned(), toml::from_str(daily).expect("a schedule"));
    let zoe = plan.people.get_mut("zoe").expect("zoe");
    zoe.contacts = vec!["mail:zoe@example.org".to_owned(), "letter:home".to_owned()];
    zoe.quiet = vec![Quiet {
        methods: vec!["mail".to_owned()],
        from: "00:10".parse().expect("a time"),
        until: "00:50".parse().expect("a time"),
        unless: Severity::Sev1,
    }];
    let found = lint(&plan, &Desk::default(), START);
    let says = |key: &str, words: &str| {
        found.iter().any(|lint| lint.key == key && lint.what.contains(words))
    };
    let policy = "policies.standard";
    assert!(says(policy, "no level holds for SEV1 on payments at some hour"), "{found:?}");
    assert!(says(policy, "'L2' reaches nobody whom no level before it reached from"), "{found:?}");
    assert!(says("people.zoe", "every method is quiet at some hour for SEV2"), "{found:?}");
    let repeated = found.iter().filter(|lint| lint.what.contains("'L2' reaches nobody whom"));
    assert_eq!(repeated.count(), 1, "{found:?}");
}

#[test]
fn what_is_foretold_holds_triggers_and_leaves_out_what_does_not_hold() {
    let levels = r#"
        [[levels]]
        name = "L1"
        targets = ["person:bob"]
        [[levels]]
        name = "night"
        targets = ["person:dana"]
        when = { hours = "03:00-03:01" }
        after_min = 5
        [[levels]]
        name = "boss"
        targets = ["person:erik"]
        after_min = 10
        [[triggers]]
        level = "boss"
        when = { severity = "SEV2" }"#;
    let plan = under(levels);
    let desk = Desk::default();
    let asked = |severity| Asked { plan: &plan, desk: &desk, severity, now: START };
    let policy = &plan.policies["standard"];
    let due = |severity| -> Vec<i64> {
        let rungs = outlook::of_policy(asked(severity), policy, &["payments".to_owned()]);
        rungs.iter().filter_map(|rung| Some(rung.due?.since(START) / 60_000)).collect()
    };
    assert_eq!(due(Severity::Sev2), [0, 5, 0], "the trigger reaches the boss at once");
    assert_eq!(due(Severity::Sev3), [0, 5, 15]);
    let mut world = World::under(plan.clone());
    let open = OPEN.replace("SEV2", "SEV3");
    play(&mut world, &format!("0m ann {open}\n0m clock"));
    let rungs = outlook::of_incident(asked(Severity::Sev3), policy, incident(&world, 1));
    assert!(rungs[1].skipped.as_ref().is_some_and(|why| why.contains("03:00-03:01")), "{rungs:?}");
}

#[test]
fn what_grew_in_maintenance_is_looked_at_when_that_ends() {
    let levels = r#"
        [[levels]]
        name = "L1"
        targets = ["person:bob"]
        [[levels]]
        name = "boss"
        targets = ["person:erik"]
        after_min = 60
        [[triggers]]
        level = "boss"
        when = { growing = true }"#;
    let mut world = World::under(under(levels));
    let until = START.plus(10 * 60_000);
    let told = play(
        &mut world,
        &format!(
            r#"0m ann {OPEN}
               0m clock
               0m answer bob mail accepted
               1m ann {{"do":"plan-window","services":["payments"],"from":"{}","until":"{until}","reason":"upgrade"}}
               1m clock
               2m ann {{"do":"set-severity","incident":1,"severity":"SEV1","reason":"all of it"}}
               2m clock
               9m clock
               10m clock"#,
            START.plus(60_000)
        ),
    );
    let (during, after) = told.split_once("all of it").expect("it grew");
    assert!(!during.contains("erik"), "{told}");
    let pages: Vec<&str> = after.lines().filter(|line| line.contains("paging")).collect();
    assert!(pages.iter().any(|line| line.contains("erik") && line.contains("growing")), "{told}");
    assert!(pages.iter().any(|line| line.contains("paging bob")), "{told}");
}
