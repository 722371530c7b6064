//! Obligations: clocks that start with what a person determined, warn, and end with a proof.

use warroom::domain::ids::IncidentId;
use warroom::domain::legal;
use warroom::domain::obligation::State;

use crate::features::paging_world;
use crate::world::{START, World, play};

const BEGIN: &str = r#"
    0m ann {"do":"open","title":"a dump was copied","severity":"SEV2","services":["payments"],"declare":true}
    0m bob {"do":"acknowledge","incident":1}
    0m ann {"do":"take-command","incident":1}
    0m ann {"do":"assign-role","incident":1,"role":"internal-liaison","person":"dana"}"#;

fn begin() -> World {
    let mut plan = paging_world::plan();
    plan.obligations = vec!["gdpr-controller".to_owned(), "nis2".to_owned()];
    let mut world = World::under(plan);
    play(&mut world, BEGIN);
    world
}

/// Aware since so many hours before the start.
fn aware(hours: i64, evidence: &str) -> String {
    let at = START.plus(-hours * 3_600_000);
    format!(
        r#"{{"do":"legal","incident":1,"legal":{{"state":"determine","rule":"gdpr-controller","kind":"aware","at":"{at}","evidence":"{evidence}"}}}}"#
    )
}

fn open(world: &World) -> Vec<(String, State)> {
    let incident = &world.engine.room.incidents[&IncidentId(1)];
    legal::open(incident, &world.engine.room.plan, world.now)
        .into_iter()
        .map(|it| (format!("{} {}", it.rule.id, it.clock.stage), it.clock.state))
        .collect()
}

#[test]
fn demand_18_a_clock_counts_from_when_it_was_so_and_not_from_its_entry() {
    let mut world = begin();
    assert!(open(&world).is_empty(), "that an incident opened starts nothing");
    let told = play(&mut world, &format!("1m dana {}", aware(40, "the log shows the copy")));
    assert!(told.contains("gdpr-controller: 'aware' determined as of"), "{told}");
    assert_eq!(
        open(&world),
        [("gdpr-controller authority".to_owned(), State::Running { warned: 50 })]
    );
}

#[test]
fn what_starts_a_clock_rests_on_something_and_lies_not_ahead() {
    let mut world = begin();
    let wrong = [
        aware(0, "").replace("1m", ""),
        aware(-1, "tomorrow"),
        aware(0, "x").replace("aware", "awake"),
        aware(0, "x").replace("gdpr-controller", "hipaa"),
        aware(0, "x").replace("gdpr-controller", "nis2").replace("\"aware\"", "\"x\""),
    ];
    let script: Vec<String> = wrong.iter().map(|command| format!("1m dana {command}")).collect();
    let told = play(&mut world, &script.join("\n"));
    let refusals: Vec<&str> =
        told.lines().map(|line| line.split(';').next().unwrap_or("")).collect();
    assert_eq!(refusals[0], "refused dana: the evidence is empty");
    assert!(refusals[1].ends_with("lies in the future"), "{told}");
    assert_eq!(refusals[2], "refused dana: 'awake' is nothing that gdpr-controller asks for");
    assert_eq!(refusals[3], "refused dana: 'hipaa' is no obligation that binds here");
    assert_eq!(refusals.len(), 5, "{told}");
}

#[test]
fn people_are_warned_at_each_mark_once_also_across_a_restart() {
    let mut world = begin();
    play(&mut world, &format!("1m dana {}", aware(0, "the log shows the copy")));
    let hours = |h: i64| h * 60;
    let mut told = String::new();
    for hour in [35, 36, 37, 54, 55, 65, 66, 71, 72, 73, 80] {
        told += &play(
            &mut world,
            &format!(
                "{}m clock\n{}m kill now\n{}m clock",
                hours(hour),
                hours(hour),
                hours(hour) + 1
            ),
        );
    }
    let clocks: Vec<&str> =
        told.lines().filter_map(|line| line.split_once("CLOCK ").map(|(_, rest)| rest)).collect();
    let heads: Vec<&str> = clocks
        .iter()
        .map(|line| line.trim_start_matches("gdpr-controller authority: "))
        .map(|line| line.split([',', ' ']).next().unwrap_or_default())
        .collect();
    assert_eq!(heads, ["50%", "75%", "90%", "MISSED"], "{clocks:?}");
    assert!(clocks[0].ends_with("telling dana"), "{clocks:?}");
    assert!(clocks[2].ends_with("telling ann, dana"), "the commander as well: {clocks:?}");
}

#[test]
fn an_incident_with_a_running_clock_is_not_closed_and_a_proof_ends_it() {
    let mut world = begin();
    let submit = |reference: &str| {
        format!(
            r#"{{"do":"legal","incident":1,"legal":{{"state":"submit","rule":"gdpr-controller","stage":"authority","at":"{}","reference":"{reference}"}}}}"#,
            START.plus(60_000)
        )
    };
    let close = r#"{"do":"close","incident":1,"note":""}"#;
    let told = play(
        &mut world,
        &format!(
            r#"1m dana {}
               2m ann {{"do":"resolve","incident":1,"reason":"fixed","evidence":"quiet"}}
               3m ann {close}
               4m dana {}
               5m dana {}
               6m ann {close}
               7m ann {{"do":"close","incident":1,"note":"dana judges the risk to persons"}}"#,
            aware(0, "the log shows the copy"),
            submit(""),
            submit("LfD-2026-117"),
        ),
    );
    assert!(
        told.contains(
            "refused ann: GDPR, controller: Notification to the supervisory authority is due"
        ),
        "{told}"
    );
    assert!(told.contains("refused dana: it needs a proof"), "{told}");
    assert!(told.contains("handed in at"), "{told}");
    assert!(
        told.contains("open: gdpr-controller persons (waits for somebody to determine: finding"),
        "what nobody judged is not closed in silence: {told}"
    );
    assert!(told.contains("INC-1 ann: closed"), "{told}");
}

/// The messages about clocks.
fn clocks_told(told: &str) -> Vec<&str> {
    told.lines().filter_map(|line| line.strip_prefix("INC-1 system: CLOCK ")).collect()
}

fn fact(rule: &str, hours: i64, rest: &str) -> String {
    let at = START.plus(-hours * 3_600_000);
    format!(
        r#"{{"do":"legal","incident":1,"legal":{{"rule":"{rule}","at":"{at}","evidence":"e","reference":"R-1",{rest}}}}}"#
    )
}

#[test]
fn a_clock_that_is_past_when_it_comes_to_be_is_told_at_once() {
    let under = |rule: &str| {
        let mut plan = paging_world::plan();
        plan.obligations = vec![rule.to_owned()];
        let mut world = World::under(plan);
        play(&mut world, BEGIN);
        world
    };
    // Another determination makes an earlier limit of the same stage hold.
    let mut world = under("nis2");
    let aware = fact("nis2", 60, r#""state":"determine","kind":"aware""#);
    let told = play(&mut world, &format!("1m dana {aware}\n1m clock"));
    assert!(clocks_told(&told)[0].contains("nis2 notification: 75% gone"), "{told}");
    let trust = fact("nis2", 0, r#""state":"determine","kind":"trust-service""#);
    let told = play(&mut world, &format!("2m dana {trust}\n2m clock\n3m clock"));
    assert_eq!(clocks_told(&told).len(), 1, "{told}");
    assert!(clocks_told(&told)[0].contains("nis2 notification: MISSED"), "{told}");
    // What was handed in long ago starts the next stage, which is over.
    let mut world = under("dora");
    let steps = [
        fact("dora", 99, r#""state":"determine","kind":"aware""#),
        fact("dora", 98, r#""state":"determine","kind":"classified-major""#),
        fact("dora", 97, r#""state":"submit","stage":"initial""#),
    ];
    let told = play(
        &mut world,
        &format!("1m dana {}\n2m dana {}\n3m dana {}\n3m clock", steps[0], steps[1], steps[2]),
    );
    let last = clocks_told(&told);
    assert!(last.last().is_some_and(|it| it.contains("dora intermediate: MISSED")), "{told}");
    // What is taken back is owed again.
    let mut world = begin();
    let not = r#"{"do":"legal","incident":1,"legal":{"state":"not-applicable","rule":"gdpr-controller","stage":"authority","why":"encrypted"}}"#;
    let back = r#"{"do":"legal","incident":1,"legal":{"state":"take-back","rule":"gdpr-controller","kind":"authority","reason":"it was not"}}"#;
    let told = play(
        &mut world,
        &format!(
            "1m dana {}\n1m dana {not}\n2m clock\n3m dana {back}\n3m clock",
            self::aware(80, "a copy")
        ),
    );
    assert_eq!(clocks_told(&told).len(), 1, "{told}");
    assert!(told.contains("gdpr-controller authority: MISSED"), "{told}");
    let told = play(&mut world, "4m clock\n5m kill now\n5m clock\n600m clock");
    assert_eq!(clocks_told(&told).len(), 0, "once: {told}");
}

#[test]
fn what_is_not_owed_is_a_decision_with_a_reason_and_a_mistake_is_taken_back() {
    let mut world = begin();
    let not = |why: &str| {
        format!(
            r#"{{"do":"legal","incident":1,"legal":{{"state":"not-applicable","rule":"gdpr-controller","stage":"authority","why":"{why}"}}}}"#
        )
    };
    let back = r#"{"do":"legal","incident":1,"legal":{"state":"take-back","rule":"gdpr-controller","kind":"aware","reason":"it was test data"}}"#;
    let told = play(
        &mut world,
        &format!(
            "1m dana {}\n2m dana {}\n3m dana {}\n",
            aware(0, "a copy"),
            not(""),
            not("test data only")
        ),
    );
    assert!(told.contains("saying that it is not owed needs a reason"), "{told}");
    assert!(told.contains("not applicable because test data only"), "{told}");
    assert!(open(&world).is_empty());
    let told = play(&mut world, &format!("4m dana {back}\n5m dana {back}"));
    assert!(told.contains("'aware' was taken back: it was test data"), "{told}");
    assert!(told.contains("refused dana: 'aware' of gdpr-controller is not on record"), "{told}");
}

#[test]
fn an_obligation_that_leaves_the_plan_while_its_clocks_run_is_told() {
    let mut plan = paging_world::plan();
    let contract = warroom::domain::obligation::shipped()
        .expect("rules")
        .into_iter()
        .find(|rule| rule.id == "gdpr-controller")
        .expect("a rule");
    let own = warroom::domain::obligation::Rule { id: "contract".to_owned(), ..contract };
    plan.own_obligations = vec![own];
    let mut world = World::under(plan.clone());
    play(&mut world, BEGIN);
    play(
        &mut world,
        &format!("1m dana {}", aware(1, "seen").replace("gdpr-controller", "contract")),
    );
    assert_eq!(open(&world).len(), 1);
    plan.own_obligations.clear();
    let command = warroom::domain::command::Command::AdoptPlan {
        plan: Box::new(plan),
        digest: "without it".to_owned(),
        note: String::new(),
    };
    let (_, events) = world.act("root", command);
    let told: Vec<String> = events
        .iter()
        .map(|event| warroom::domain::timeline::entry(event, IncidentId(1)).text)
        .collect();
    let told = told.join("\n");
    assert!(told.contains("THE PLAN NO LONGER HOLDS 'contract'"), "{told}");
    assert!(told.contains("telling dana"), "{told}");
}

#[test]
fn a_clock_that_runs_is_not_set_back_by_saying_it_again() {
    let mut world = begin();
    let again = format!("2m dana {}", aware(10, "somebody else says so"));
    let told = play(&mut world, &format!("1m dana {}\n{again}", aware(40, "the log shows it")));
    assert!(told.contains("refused dana: 'aware' of gdpr-controller is on record since"), "{told}");
    let earlier = play(&mut world, &format!("3m dana {}", aware(50, "an older log shows it")));
    assert!(!earlier.contains("refused"), "{earlier}");
}

#[test]
fn what_is_found_out_stands_against_what_was_thought_before() {
    let mut world = begin();
    let determine = |minute: u32, kind: &str, since: i64| {
        format!(
            r#"{minute}m bob {{"do":"legal","incident":1,"legal":{{"state":"determine","rule":"gdpr-controller","kind":"{kind}","at":"{}","evidence":"the team found {kind}"}}}}"#,
            START.plus(since * 60_000)
        )
    };
    play(&mut world, &determine(1, "aware", 1));
    play(&mut world, &determine(2, "risk-unlikely", 2));
    let open = |world: &World| {
        let incident = &world.engine.room.incidents[&IncidentId(1)];
        let open = warroom::domain::legal::open(incident, &world.engine.room.plan, world.now);
        open.iter().map(|it| it.clock.stage.clone()).collect::<Vec<_>>()
    };
    assert!(open(&world).is_empty(), "{:?}", open(&world));
    let told = play(&mut world, &determine(60, "high-risk", 60));
    assert!(told.contains("'risk-unlikely' was taken back: 'high-risk' was determined"), "{told}");
    assert_eq!(open(&world), ["authority", "persons"]);
    let refused = play(&mut world, &determine(61, "risk-unlikely", 61));
    assert!(refused.contains("'risk-unlikely' cannot hold beside it"), "{refused}");
}

#[test]
fn what_is_handed_in_late_says_why() {
    let mut world = begin();
    let submit = |why: &str| {
        let at = START.plus(-3_600_000);
        format!(
            r#"2m dana {{"do":"legal","incident":1,"legal":{{"state":"submit","rule":"gdpr-controller","stage":"authority","at":"{at}","reference":"LfD-7"{why}}}}}"#
        )
    };
    let because = r#","why":"the copy was found in a log of last month""#;
    let told = play(
        &mut world,
        &format!("1m dana {}\n{}\n{}", aware(80, "the copy"), submit(""), submit(because)),
    );
    assert!(
        told.contains("refused dana: gdpr-controller authority comes after its time"),
        "{told}"
    );
    assert!(told.contains("reference 'LfD-7' · because the copy was found in a log"), "{told}");
    let incident = &world.engine.room.incidents[&IncidentId(1)];
    let sent = &incident.legal.facts["gdpr-controller"].submissions["authority"];
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].why, "the copy was found in a log of last month");
}

#[test]
fn what_is_taken_back_is_one_thing_and_the_latest_decision_first() {
    let mut world = begin();
    let submit = fact("gdpr-controller", 0, r#""state":"submit","stage":"authority""#);
    let not = r#"{"do":"legal","incident":1,"legal":{"state":"not-applicable","rule":"gdpr-controller","stage":"authority","why":"encrypted"}}"#;
    let back = r#"{"do":"legal","incident":1,"legal":{"state":"take-back","rule":"gdpr-controller","kind":"authority","reason":"it was not"}}"#;
    let told = play(
        &mut world,
        &format!("1m dana {}\n2m dana {submit}\n3m dana {not}\n4m dana {back}", aware(0, "a copy")),
    );
    let facts = |world: &World| {
        world.engine.room.incidents[&IncidentId(1)].legal.facts["gdpr-controller"].clone()
    };
    assert_eq!(facts(&world).submissions["authority"].len(), 1, "the proof stays: {told}");
    assert!(facts(&world).not_applicable.is_empty(), "{told}");
    assert!(told.contains("'authority', that it is not applicable, was taken back"), "{told}");
    play(&mut world, &format!("5m dana {back}"));
    assert!(facts(&world).submissions.is_empty());
    // The journal says which: the same after a start.
    world.restart();
    assert!(facts(&world).submissions.is_empty());
}

#[test]
fn what_is_owed_without_a_number_is_told_at_once_where_it_is_late_already() {
    let mut plan = paging_world::plan();
    plan.obligations = vec!["gdpr-processor".to_owned()];
    let mut world = World::under(plan);
    play(&mut world, BEGIN);
    let aware = fact("gdpr-processor", 75, r#""state":"determine","kind":"aware""#);
    let told =
        play(&mut world, &format!("1m dana {aware}\n1m clock\n2m clock\n3m kill now\n3m clock"));
    assert_eq!(clocks_told(&told).len(), 1, "{told}");
    assert!(clocks_told(&told)[0].contains("still owed, without undue delay"), "{told}");
    // One that has just begun is reminded of in its time.
    let mut plan = paging_world::plan();
    plan.obligations = vec!["gdpr-processor".to_owned()];
    let mut world = World::under(plan);
    play(&mut world, BEGIN);
    let aware = fact("gdpr-processor", 0, r#""state":"determine","kind":"aware""#);
    let told = play(&mut world, &format!("1m dana {aware}\n1m clock\n600m clock"));
    assert_eq!(clocks_told(&told).len(), 0, "{told}");
}

/// The word about a clock, as it is answered one reader after the other, where no policy pages anybody.
fn word_of_a_clock(answers: &str) -> String {
    let mut plan = paging_world::plan();
    plan.obligations = vec!["gdpr-controller".to_owned()];
    plan.services.clear();
    plan.default_policy.clear();
    let mut world = World::under(plan);
    play(&mut world, BEGIN);
    let begin = format!("1m dana {}\n2161m clock", aware(0, "the log shows the copy"));
    let answers = answers
        .split_whitespace()
        .collect::<Vec<_>>()
        .chunks(3)
        .fold(String::new(), |all, answer| {
            format!("{all}\n2161m answer {}\n2161m clock", answer.join(" "))
        });
    play(&mut world, &format!("{begin}{answers}\n3000m clock"))
}

#[test]
fn a_clock_whose_word_gets_through_to_nobody_is_told_to_others_until_somebody_has_it() {
    let told =
        word_of_a_clock("dana mail refused fay mail refused zoe mail accepted erik mail refused");
    let lines: Vec<&str> = told.lines().filter(|line| line.contains("REACHED NOBODY")).collect();
    let to: Vec<&str> =
        lines.iter().filter_map(|line| line.rsplit_once("; telling ").map(|(_, to)| to)).collect();
    assert_eq!(to, ["ann", "fay", "bob, erik, zoe"], "each once, and somebody has it: {told}");
    assert!(lines[2].contains("THE WORD REACHED NOBODY: gdpr-controller authority: 50%"), "{told}");
}

#[test]
fn what_reaches_nobody_at_all_is_told_to_everybody_again() {
    let told = word_of_a_clock(
        "dana mail refused fay mail refused zoe mail refused erik mail refused bob mail refused
         bob phone refused",
    );
    let lines: Vec<&str> = told.lines().filter(|line| line.contains("REACHED NOBODY")).collect();
    assert_eq!(lines.len(), 4, "{told}");
    assert!(lines[3].ends_with("; telling bob, dana, erik, fay, zoe"), "{told}");
}

#[test]
fn a_warning_that_is_settled_is_told_to_nobody_again() {
    let submit = format!(
        r#"{{"do":"legal","incident":1,"legal":{{"state":"submit","rule":"gdpr-controller","stage":"authority","at":"{}","reference":"R-1"}}}}"#,
        START.plus(60_000)
    );
    let mut plan = paging_world::plan();
    plan.obligations = vec!["gdpr-controller".to_owned()];
    plan.services.clear();
    plan.default_policy.clear();
    let mut world = World::under(plan);
    play(&mut world, BEGIN);
    let begin = format!("1m dana {}\n2161m clock", aware(0, "the log shows the copy"));
    let told = play(
        &mut world,
        &format!("{begin}\n2162m dana {submit}\n2162m answer dana mail refused\n2180m clock"),
    );
    assert!(!told.contains("REACHED NOBODY"), "{told}");
}
