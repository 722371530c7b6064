//! Communication: who is told what, by which way, with which proof; what is promised, and what
//! happens where a promise is missed; that nothing ends in silence.

use warroom::domain::ids::IncidentId;
use warroom::domain::plan::Plan;
use warroom::domain::words::AttemptResult;
use warroom::keeper::mailroom::message;
use warroom::notify::forms;

use crate::features::paging_world;
use crate::world::{START, World, play};

/// Five stakeholders over the plan of the scripts about paging.
const WHO: &str = r#"
[stakeholders.support]
audience = "internal"
channels = ["mail:support@example.org"]
from_severity = "SEV3"
every_min = 30

[stakeholders.executives]
audience = "internal"
channels = ["phone chain"]
from_severity = "SEV2"
every_min = 60

[stakeholders.partners]
audience = "partner"
channels = ["mail:partner@example.net", "phone:+492"]
from_severity = "SEV2"
every_min = 40
language = "de"

[stakeholders.customers]
audience = "public"
channels = ["status page"]
subscribers = ["mail:one@example.com", "mail:two@example.com"]
from_severity = "SEV2"
every_min = 20

[services.payments]
public_name = "Card payments"
"#;

pub fn plan() -> Plan {
    let more: Plan = toml::from_str(WHO).expect("a plan");
    let mut plan = paging_world::plan();
    plan.stakeholders = more.stakeholders;
    plan.services.extend(more.services);
    plan
}

pub fn at(minutes: i64) -> String {
    START.plus(minutes * 60_000).to_string()
}

/// A declared SEV2 on payments that bob holds and ann commands.
pub const BEGIN: &str = r#"
    0m ann {"do":"open","title":"db7 pool exhausted","severity":"SEV2","services":["payments"],"declare":true}
    0m bob {"do":"acknowledge","incident":1}
    0m ann {"do":"take-command","incident":1}"#;

/// An update as a person gives it.
pub fn draft(audience: &str, to: &[&str], minutes: Option<i64>, more: &str) -> String {
    let to = serde_json::to_string(to).expect("names");
    let next = minutes.map_or(r#""last":true"#.to_owned(), |m| format!(r#""next_by":"{}""#, at(m)));
    format!(
        r#"{{"do":"talk","incident":1,"talk":{{"say":"draft","audience":"{audience}","to":{to},"words":[{{"language":"en","subject":"Card payments fail","text":"One in ten fails."}}],{next}{more}}}}}"#
    )
}

pub fn begin() -> World {
    let mut world = World::under(plan());
    play(&mut world, BEGIN);
    world
}

pub fn letter(world: &World) -> &warroom::domain::incident::Incident {
    world.engine.room.incidents.get(&IncidentId(1)).expect("it is open")
}

#[test]
fn an_update_goes_to_each_by_its_own_way_with_proof() {
    let mut world = begin();
    let update = draft("internal", &["support", "executives"], Some(30), "");
    let told = play(&mut world, &format!("2m bob {update}\n2m clock"));
    assert!(told.contains("update 1 for support, executives (internal) · next by 13:50"), "{told}");
    assert!(told.contains("update 1 goes to support by mail; executives BY HAND"), "{told}");
    let job = world.jobs.last().expect("a mail");
    assert_eq!(job.destination.method, "mail:support@example.org");
    let told = play(&mut world, "3m answer stakeholder:support mail accepted");
    assert!(told.contains("took it: 250 ok"), "{told}");
    let incident = letter(&world);
    assert_eq!(incident.talk.proofs["support"].words(false), "accepted");
    assert_eq!(incident.talk.proofs["support"].detail, "mail:support@example.org: 250 ok");
    assert!(incident.talk.letters.is_empty(), "nothing is on its way");
    assert!(!incident.told.contains_key("executives"), "nobody told them yet");
    assert_eq!(incident.talk.by_hand.get("executives"), Some(&1));
    play(
        &mut world,
        r#"4m bob {"do":"log-contact","incident":1,"stakeholder":"executives","channel":"phone","text":"told the board room","next_by":null}"#,
    );
    assert!(letter(&world).talk.by_hand.is_empty());
    assert_eq!(letter(&world).told["executives"].count, 1);
}

#[test]
fn what_readers_get_holds_nothing_of_the_inside() {
    let mut world = begin();
    let update = draft("partner", &["partners"], Some(40), "");
    play(
        &mut world,
        &format!(
            r#"1m bob {update}
               2m ann {{"do":"talk","incident":1,"talk":{{"say":"approve","update":1}}}}
               2m clock"#
        ),
    );
    let job = world.jobs.last().expect("a mail");
    let message = message(job);
    let bytes = forms::generic(&message, "partner@example.net").to_string();
    assert!(bytes.contains("One in ten fails."), "{bytes}");
    for inside in ["db7", "pool", "INC-1 SEV2", "payments\"", "why"] {
        assert!(!bytes.contains(inside), "'{inside}' is for us alone: {bytes}");
    }
}

#[test]
fn nobody_gets_words_that_they_may_not_read() {
    let mut world = begin();
    let wrong = draft("internal", &["support", "customers"], Some(20), "");
    let told = play(&mut world, &format!("1m bob {wrong}"));
    assert_eq!(
        told,
        "refused bob: customers may not read what is internal; write words that are public, for \
         customers alone\n"
    );
    let unknown = draft("internal", &["nobody"], Some(20), "");
    let told = play(&mut world, &format!("1m bob {unknown}"));
    assert!(told.contains("the plan knows no stakeholder 'nobody'"), "{told}");
}

#[test]
fn demand_16_public_words_are_approved_by_the_commander_and_not_by_their_author() {
    let mut world = begin();
    let approve = r#"{"do":"talk","incident":1,"talk":{"say":"approve","update":1}}"#;
    let public = draft("public", &["customers"], Some(20), r#","public":"investigating""#);
    let told = play(
        &mut world,
        &format!(
            "1m bob {public}\n1m clock\n2m bob {approve}\n2m dana {approve}\n3m ann {approve}\n3m clock"
        ),
    );
    assert!(told.contains("waits for the commander's approval"), "{told}");
    assert!(told.contains("refused bob: you wrote update 1 yourself"), "{told}");
    assert!(told.contains("refused dana: update 1 is for ann to approve"), "{told}");
    let (before, after) = told.split_once("goes to").expect("it goes");
    assert!(!before.contains("sending to"), "nothing left before: {told}");
    assert!(after.starts_with(" customers by mail × 2; customers on the status page"));
    assert_eq!(letter(&world).public.word(), "investigating");
    let told = play(&mut world, &format!("4m ann {approve}"));
    assert!(told.contains("ann sent update 1 at"), "{told}");
}

#[test]
fn where_nobody_else_can_look_at_it_that_goes_on_record() {
    let mut world = begin();
    let public = draft("public", &["customers"], Some(20), r#","public":"investigating""#);
    let force = r#"{"do":"talk","incident":1,"talk":{"say":"approve","update":1,"force":"alone at night"}}"#;
    let told = play(&mut world, &format!("1m ann {public}\n2m eve {force}\n3m ann {force}"));
    assert!(told.contains("refused eve: eve may only observe here"), "{told}");
    assert!(told.contains("NOBODY ELSE LOOKED AT IT: alone at night"), "{told}");
}

#[test]
fn every_update_says_when_the_next_one_comes_or_that_it_is_the_last() {
    let mut world = begin();
    let no_time =
        draft("internal", &["support"], None, "").replace(r#""last":true"#, r#""last":false"#);
    let both = draft("internal", &["support"], Some(30), r#","last":true"#);
    let past = draft("internal", &["support"], Some(0), "");
    let told = play(&mut world, &format!("1m bob {no_time}\n1m bob {both}\n1m bob {past}"));
    let refusals: Vec<&str> = told.lines().collect();
    assert_eq!(
        refusals,
        [
            "refused bob: it does not say when the next word comes; give a time, e.g. 20m, or say \
             that it is the last one",
            "refused bob: the last word promises no other; leave out when the next one comes",
            "refused bob: 13:20 is over; promise a time that lies ahead",
        ]
    );
}

#[test]
fn a_missed_promise_goes_to_the_liaison_and_then_to_the_commander() {
    let mut world = begin();
    let told = play(
        &mut world,
        r#"0m ann {"do":"assign-role","incident":1,"role":"customer-liaison","person":"dana"}
           0m ann {"do":"assign-role","incident":1,"role":"internal-liaison","person":"fay"}
           4m clock
           5m clock
           6m clock
           10m clock
           30m clock"#,
    );
    let lines: Vec<&str> = told.lines().filter(|line| line.contains("NOT TOLD")).collect();
    assert_eq!(
        lines,
        [
            "INC-1 system: NOT TOLD IN TIME: customers (due 13:25), executives (due 13:25), \
             partners (due 13:25), support (due 13:25); telling dana",
            "INC-1 system: STILL NOT TOLD: customers (due 13:25), executives (due 13:25), \
             partners (due 13:25), support (due 13:25); telling ann",
            // No way leads to her.
            "INC-1 system: STILL NOT TOLD: customers (due 13:25), executives (due 13:25), \
             partners (due 13:25), support (due 13:25); telling fay",
        ],
        "{told}"
    );
}

#[test]
fn a_miss_is_told_once_across_a_restart_and_late_if_nobody_looked() {
    let mut world = begin();
    let told =
        play(&mut world, "5m clock\n5m kill now\n6m clock\n7m kill now\n60m clock\n61m clock");
    assert_eq!(told.matches("NOT TOLD IN TIME").count(), 1, "{told}");
    assert_eq!(told.matches("STILL NOT TOLD").count(), 1, "{told}");
}

#[test]
fn demand_33_no_incident_ends_in_silence() {
    let mut world = begin();
    let update = draft("internal", &["support"], Some(30), "");
    let told = play(
        &mut world,
        &format!(
            r#"1m bob {update}
               1m clock
               2m ann {{"do":"decline","incident":1,"reason":"false-alarm","note":"a probe"}}
               2m answer stakeholder:support mail accepted
               3m ann {{"do":"decline","incident":1,"reason":"false-alarm","note":"a probe"}}
               4m ann {{"do":"resolve","incident":1,"reason":"fixed","evidence":"quiet"}}
               5m ann {{"do":"close","incident":1,"note":""}}
               29m clock
               31m clock"#
        ),
    );
    assert!(told.contains("1 message(s) about INC-1 are still on their way"), "{told}");
    assert_eq!(told.matches("support were told of it and got no last word").count(), 2, "{told}");
    assert!(
        told.contains("NOT TOLD IN TIME: support (due 13:50)"),
        "the last word is promised: {told}"
    );
    let last = draft("internal", &["support"], None, "");
    let told = play(
        &mut world,
        &format!(
            r#"40m bob {last}
               40m clock
               40m answer stakeholder:support mail accepted
               41m ann {{"do":"close","incident":1,"note":""}}
               42m ann {{"do":"close","incident":1,"note":"","silent":"they noticed nothing"}}"#
        ),
    );
    assert!(
        told.contains(
            "refused ann: INC-1: customers, executives, partners must know of it and heard"
        ),
        "nor does it end over those who heard nothing: {told}"
    );
    assert!(told.contains("MUST KNOW: they noticed nothing"), "{told}");
}

#[test]
fn why_somebody_hears_nothing_more_goes_on_record() {
    let mut world = begin();
    let told = play(
        &mut world,
        r#"1m bob {"do":"log-contact","incident":1,"stakeholder":"a passer-by","channel":"phone","text":"x","next_by":null}
           2m ann {"do":"decline","incident":1,"reason":"false-alarm","note":"a probe","silent":"left no number"}"#,
    );
    assert!(
        told.contains(
            "declined (false-alarm): a probe · NO LAST WORD TO ALL WHO MUST KNOW: left no number"
        ),
        "{told}"
    );
}

#[test]
fn whoever_was_told_of_a_merged_incident_hears_from_the_other_one() {
    let mut world = begin();
    let update = draft("internal", &["support"], Some(30), "");
    play(
        &mut world,
        &format!(
            r#"1m bob {update}
               1m clock
               1m answer stakeholder:support mail accepted
               2m ann {{"do":"open","title":"the cause","severity":"SEV2","declare":true}}
               3m ann {{"do":"merge","incident":1,"into":2}}"#
        ),
    );
    let parent = world.engine.room.incidents.get(&IncidentId(2)).expect("it is open");
    assert_eq!(parent.told["support"].next_by, Some(START.plus(30 * 60_000)));
    let told = &parent.told["support"];
    let when = (told.at.clock_minutes(), told.by.as_str(), told.channel.as_str());
    assert_eq!(when, ("13:21".to_owned(), "bob", "mail"), "when they were told, not merged");
    // Taken back, the promise is that of the other one alone.
    play(&mut world, r#"4m ann {"do":"unmerge","incident":1}"#);
    let parent = world.engine.room.incidents.get(&IncidentId(2)).expect("it is open");
    assert!(!parent.told.contains_key("support"), "{:?}", parent.told);
    assert_eq!(letter(&world).told["support"].next_by, Some(START.plus(30 * 60_000)));
    // Who had a promise here has it again; who heard something here since has what they heard.
    let other = update.replace(r#""incident":1"#, r#""incident":2"#).replace(&at(30), &at(45));
    let settle = "5m clock\n5m answer stakeholder:support mail accepted";
    let told = play(
        &mut world,
        &format!(
            "5m ann {other}\n{settle}\n\
             6m ann {{\"do\":\"merge\",\"incident\":1,\"into\":2}}"
        ),
    );
    let next = |world: &World| world.engine.room.incidents[&IncidentId(2)].told["support"].next_by;
    assert_eq!(next(&world), Some(START.plus(30 * 60_000)), "{told}");
    play(&mut world, r#"7m ann {"do":"unmerge","incident":1}"#);
    assert_eq!(next(&world), Some(START.plus(45 * 60_000)));
    let later = other.replace(&at(45), &at(50));
    play(
        &mut world,
        &format!(
            "8m ann {{\"do\":\"merge\",\"incident\":1,\"into\":2}}\n9m ann {later}\n9m clock\n\
             9m answer stakeholder:support mail accepted\n\
             10m ann {{\"do\":\"unmerge\",\"incident\":1}}"
        ),
    );
    assert_eq!(next(&world), Some(START.plus(50 * 60_000)));
}

#[test]
fn a_message_that_fails_goes_by_the_next_way_and_a_failure_stays_in_sight() {
    let mut world = begin();
    let update = draft("partner", &["partners"], Some(40), "");
    play(
        &mut world,
        &format!(
            r#"1m bob {update}
               2m ann {{"do":"talk","incident":1,"talk":{{"say":"approve","update":1}}}}
               2m clock
               2m answer stakeholder:partners mail refused
               2m clock"#
        ),
    );
    assert_eq!(world.jobs.last().expect("a call").destination.method, "phone:+492");
    play(&mut world, "3m answer stakeholder:partners phone refused");
    let proof = &letter(&world).talk.proofs["partners"];
    assert_eq!(proof.words(false), "FAILED");
    assert_eq!(proof.failures, ["phone:+492: no"]);
}

#[test]
fn what_was_on_its_way_at_a_kill_goes_again() {
    let mut world = begin();
    let update = draft("internal", &["support"], Some(30), "");
    play(&mut world, &format!("1m bob {update}\n1m clock\n1m kill now\n2m clock"));
    assert_eq!(world.jobs.len(), 2, "once before, once after");
    assert_eq!(world.jobs[1].items[0].attempt, world.jobs[0].items[0].attempt, "the same attempt");
    world.answer("stakeholder:support", "mail", AttemptResult::Accepted);
    assert_eq!(letter(&world).talk.proofs["support"].words(false), "accepted");
}

#[test]
fn words_come_less_often_only_by_decision_and_not_in_the_first_hour() {
    let mut world = begin();
    let long = |reason: &str| {
        format!(
            r#"{{"do":"talk","incident":1,"talk":{{"say":"cadence","long":true,"reason":"{reason}"}}}}"#
        )
    };
    let told = play(
        &mut world,
        &format!(
            "61m ann {}
               121m ann {}
               121m ann {}
               122m bob {}",
            long("it takes long"),
            long(""),
            long("nothing new before noon"),
            draft("internal", &["support"], Some(182), ""),
        ),
    );
    assert!(told.contains("less than two hours ago"), "{told}");
    assert!(told.contains("having words come less often needs a reason"), "{told}");
    assert!(told.contains("a long incident from now on"), "{told}");
    assert!(letter(&world).talk.is_long);
}

#[test]
fn the_press_hears_one_voice() {
    let mut world = begin();
    let answer = |who: &str| {
        format!(
            r#"3m {who} {{"do":"talk","incident":1,"talk":{{"say":"answer-inquiry","inquiry":1,"text":"We are looking into it."}}}}"#
        )
    };
    let told = play(
        &mut world,
        &format!(
            r#"1m bob {{"do":"talk","incident":1,"talk":{{"say":"inquire","outlet":"Evening News","person":"M. Frei","question":"Is it an attack?","embargo":"{}"}}}}
               {}
               3m ann {{"do":"assign-role","incident":1,"role":"spokesperson","person":"dana"}}
               {}
               {}
               {}"#,
            at(120),
            answer("ann"),
            answer("ann"),
            answer("dana"),
            answer("dana"),
        ),
    );
    assert!(
        told.contains(
            "press inquiry 1 of Evening News (M. Frei): Is it an attack? · embargo until 15:20"
        ),
        "{told}"
    );
    assert!(told.contains("refused ann: nobody speaks to the press"), "{told}");
    assert!(told.contains("refused ann: dana speaks to the press"), "{told}");
    assert!(told.contains("dana answered inquiry 1: We are looking into it."), "{told}");
    assert!(told.contains("refused dana: dana answered inquiry 1"), "{told}");
}

#[test]
fn the_status_page_never_says_less_than_was_said() {
    let mut world = begin();
    let none = draft("public", &["customers"], Some(20), "");
    let early = draft("public", &["customers"], Some(20), r#","public":"resolved""#);
    let open = draft("public", &["customers"], None, r#","public":"monitoring""#);
    let told = play(&mut world, &format!("1m bob {none}\n1m bob {early}\n1m bob {open}"));
    let refusals: Vec<&str> =
        told.lines().map(|line| line.split(';').next().unwrap_or("")).collect();
    assert_eq!(
        refusals,
        [
            "refused bob: it does not say what the status page shows from then on",
            "refused bob: INC-1 is investigating, and the public would read 'resolved'",
            "refused bob: the last word leaves the status page open",
        ]
    );
}

#[test]
fn who_may_approve_is_the_plans_to_say() {
    let mut plan = plan();
    plan.teams.insert("legal".to_owned(), vec!["fay".to_owned()]);
    let named = |plan: &mut Plan, who: &str, by: &[&str]| {
        let who = plan.stakeholders.get_mut(who).expect("a stakeholder");
        who.approvers = by.iter().map(|name| (*name).to_owned()).collect();
    };
    named(&mut plan, "customers", &["team:legal"]);
    named(&mut plan, "partners", &["zoe"]);
    named(&mut plan, "support", &["zoe", "team:legal"]);
    let mut world = World::under(plan);
    play(&mut world, BEGIN);
    let both =
        draft("public", &["customers", "partners"], Some(20), r#","public":"investigating""#);
    let one = draft("public", &["customers", "support"], Some(20), r#","public":"investigating""#);
    let approve = r#"{"do":"talk","incident":1,"talk":{"say":"approve","update":1}}"#;
    let told = play(
        &mut world,
        &format!(
            "1m bob {both}\n1m bob {one}\n2m ann {approve}\n2m zoe {approve}\n3m fay {approve}"
        ),
    );
    assert!(told.contains("nobody may approve what goes to both customers and partners"), "{told}");
    assert!(
        told.contains("refused ann: update 1 is for fay to approve"),
        "the commander too: {told}"
    );
    assert!(told.contains("refused zoe: update 1 is for fay to approve"), "{told}");
    assert!(told.contains("INC-1 fay: update 1 goes to"), "{told}");
}

#[test]
fn scope_follows_the_first_word_soon_and_then_the_plan_says_how_often() {
    use warroom::domain::talk::promise::suggested_min;
    let mut world = begin();
    let names = ["customers".to_owned()];
    let minutes = |world: &World| suggested_min(letter(world), &world.engine.room.plan, &names);
    assert_eq!(minutes(&world), 5);
    let public = draft("public", &["customers"], Some(6), r#","public":"investigating""#);
    let approve = r#"{"do":"talk","incident":1,"talk":{"say":"approve","update":1}}"#;
    play(&mut world, &format!("1m bob {public}\n1m ann {approve}"));
    assert_eq!(minutes(&world), 20);
}
