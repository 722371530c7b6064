//! Words that somebody must hear, at an hour at which nobody is to be disturbed.

use warroom::domain::plan::{Plan, Quiet};
use warroom::domain::words::Severity;

use crate::features::{paging_world, talk_kept};
use crate::world::{START, World, play};

/// Scripts begin at 13:20; bob commands what dana says to others.
const BEGIN: &str = r#"
    0m bob {"do":"open","title":"a dump was copied","severity":"SEV3","services":["payments"],"declare":true}
    0m bob {"do":"acknowledge","incident":1}
    0m bob {"do":"take-command","incident":1}
    0m bob {"do":"assign-role","incident":1,"role":"internal-liaison","person":"dana"}"#;

/// Everybody is quiet from 22:00 to 07:00 for all but the worst.
fn quiet() -> Plan {
    let mut plan = paging_world::plan();
    plan.obligations = vec!["gdpr-controller".to_owned(), "nydfs".to_owned()];
    plan.services.clear();
    plan.default_policy.clear();
    let mut support = talk_kept::plan().stakeholders["support"].clone();
    support.from_severity = Severity::Sev1;
    plan.stakeholders.insert("support".to_owned(), support);
    let time = |text: &str| text.parse().expect("a time of day");
    for person in plan.people.values_mut() {
        person.quiet = vec![Quiet {
            methods: vec!["mail".to_owned(), "phone".to_owned()],
            from: time("22:00:00"),
            until: time("07:00:00"),
            unless: Severity::Sev2,
        }];
    }
    plan
}

fn determined(rule: &str, kind: &str, hours_ago: i64) -> String {
    let at = START.plus(-hours_ago * 3_600_000);
    format!(
        r#"{{"do":"legal","incident":1,"legal":{{"state":"determine","rule":"{rule}","kind":"{kind}","at":"{at}","evidence":"the log shows the copy"}}}}"#
    )
}

fn lines<'a>(told: &'a str, what: &str) -> Vec<&'a str> {
    told.lines().filter(|line| line.contains(what)).map(|line| &line[6..]).collect()
}

#[test]
fn what_nobody_could_be_told_at_night_is_told_in_the_morning_as_it_is_then() {
    let mut world = World::under(quiet());
    play(&mut world, BEGIN);
    // Half of 72 hours is over at 01:20, and the morning comes at 07:00.
    let told = play(
        &mut world,
        &format!(
            "1m dana {}\n2161m clock\n2300m clock\n2499m clock\n2500m clock\n
             2501m answer dana mail accepted\n2600m clock",
            determined("gdpr-controller", "aware", 0)
        ),
    );
    let (night, morning) = (lines(&told, "NOBODY COULD BE TOLD"), lines(&told, "THE WORD REACHED"));
    assert_eq!((night.len(), morning.len()), (1, 1), "{told}");
    assert!(night[0].contains("50% gone, due in 1d11h"), "{told}");
    assert!(morning[0].contains("authority: 50% gone, due in 1d06h"), "{told}");
    assert!(morning[0].ends_with("; telling dana"), "{told}");
}

#[test]
fn the_law_waits_in_no_quiet_hours_when_its_time_is_over() {
    let mut world = World::under(quiet());
    play(&mut world, BEGIN);
    // All of the 72 hours are over at 01:20.
    let script = format!("1m dana {}\n3601m clock", determined("gdpr-controller", "aware", 12));
    let told = play(&mut world, &script);
    let missed = lines(&told, "MISSED");
    assert!(missed[0].ends_with("; telling bob, dana"), "whose it is, asleep or not: {told}");
}

#[test]
fn a_promise_missed_at_night_is_told_in_the_morning() {
    let mut world = World::under(quiet());
    play(&mut world, BEGIN);
    let by = START.plus(10 * 3_600_000);
    let told = play(
        &mut world,
        &format!(
            "1m bob {{\"do\":\"talk\",\"incident\":1,\"talk\":{{\"say\":\"promise\",\"stakeholder\":\"support\",\"next_by\":\"{by}\",\"text\":\"\"}}}}
             600m clock\n700m clock\n1059m clock\n1060m clock\n1061m clock"
        ),
    );
    let missed = lines(&told, "NOT TOLD IN TIME");
    assert_eq!(missed.len(), 2, "{told}");
    assert!(missed[0].ends_with("; NOBODY COULD BE TOLD"), "{told}");
    assert!(missed[1].ends_with("; telling dana"), "{told}");
}

#[test]
fn of_a_warning_about_two_laws_only_what_is_still_open_is_told_again() {
    let mut plan = quiet();
    plan.people.values_mut().for_each(|person| person.quiet.clear());
    let mut world = World::under(plan);
    play(&mut world, BEGIN);
    let submit = format!(
        r#"{{"do":"legal","incident":1,"legal":{{"state":"submit","rule":"gdpr-controller","stage":"authority","at":"{}","reference":"R-1"}}}}"#,
        START.plus(60_000)
    );
    let told = play(
        &mut world,
        &format!(
            "1m dana {}\n1m dana {}\n2161m clock\n2162m dana {submit}
             2162m answer dana mail refused\n2162m clock",
            determined("gdpr-controller", "aware", 0),
            determined("nydfs", "incident-determined", 0)
        ),
    );
    let (first, again) = (lines(&told, "CLOCK gdpr"), lines(&told, "THE WORD REACHED"));
    assert!(first[0].contains("nydfs notice: 50%"), "{told}");
    assert_eq!(again.len(), 1, "{told}");
    assert!(again[0].contains("nydfs") && !again[0].contains("gdpr"), "{told}");
}
