//! Paging that cannot go silent: levels, answers, failures, restarts.

use crate::features::paging_world::{OPEN, check, plan};
use crate::world::{World, play};

#[test]
fn an_unanswered_page_climbs_to_the_fallback_and_never_stops() {
    check(
        &format!(
            "0m ann {OPEN}
             0m clock
             1m answer bob mail accepted
             190s clock
             190s answer bob phone accepted
             310s clock
             320s answer dana mail accepted
             320s answer bob mail accepted
             500s clock
             500s answer bob phone accepted
             915s clock
             915s answer erik mail accepted
             1820s clock
             1820s answer zoe mail accepted
             3640s clock
             3640s answer fay mail accepted
             5450s clock"
        ),
        "INC-1 ann: opened as SEV2 (ann said so)
         INC-1 system: paging bob by mail, phone (L1 on-call: new)
         INC-1 system: sending to bob by mail
         INC-1 system: bob by mail took it: 250 ok
         INC-1 system: sending to bob by phone
         INC-1 system: bob by phone took it: 250 ok
         INC-1 system: paging dana by mail; bob by mail, phone (L2 senior: no answer)
         INC-1 system: sending to bob by mail
         INC-1 system: sending to dana by mail
         INC-1 system: dana by mail took it: 250 ok
         INC-1 system: bob by mail took it: 250 ok
         INC-1 system: sending to bob by phone
         INC-1 system: bob by phone took it: 250 ok
         INC-1 system: paging erik by mail (manager: no answer)
         INC-1 system: sending to erik by mail
         INC-1 system: erik by mail took it: 250 ok
         INC-1 system: telling zoe by mail (executive: no answer)
         INC-1 system: sending to zoe by mail
         INC-1 system: zoe by mail took it: 250 ok
         INC-1 system: FALLBACK: nobody has answered INC-1, and no level is left; 20s late; paging fay by mail
         INC-1 system: sending to fay by mail
         INC-1 system: fay by mail took it: 250 ok
         INC-1 system: FALLBACK: nobody has answered INC-1, and no level is left; paging fay by mail
         INC-1 system: sending to fay by mail",
    );
}

#[test]
fn demand_1_a_restart_loses_no_step_and_repeats_none() {
    check(
        &format!(
            "0m ann {OPEN}
             0m clock
             1m answer bob mail accepted
             2m kill
             4m clock
             20m kill
             20m clock"
        ),
        "INC-1 ann: opened as SEV2 (ann said so)
         INC-1 system: paging bob by mail, phone (L1 on-call: new)
         INC-1 system: sending to bob by mail
         INC-1 system: bob by mail took it: 250 ok
         INC-1 system: sending to bob by phone
         INC-1 system: bob by phone unknown whether it arrived: the keeper ended while it was on its way
         INC-1 system: paging dana by mail; bob by mail, phone (L2 senior: no answer); 15m late
         INC-1 system: sending to bob by mail
         INC-1 system: sending to bob by phone
         INC-1 system: sending to dana by mail",
    );
}

#[test]
fn demand_2_a_failing_target_blocks_nobody_else() {
    check(
        r#"0m ann {"do":"open","title":"t","severity":"SEV2","services":["payments"]}
           0m ann {"do":"escalate","incident":1,"level":"L2","reason":"help"}
           0m clock
           0m answer dana mail refused
           0m answer bob mail accepted"#,
        "INC-1 ann: opened as SEV2 (ann said so)
         INC-1 ann: paging dana by mail; bob by mail, phone (L2 senior: ann escalated: help)
         INC-1 system: sending to bob by mail
         INC-1 system: sending to dana by mail
         INC-1 system: dana by mail FAILED: no
         INC-1 system: bob by mail took it: 250 ok",
    );
}

#[test]
fn a_level_whose_pages_all_fail_does_not_wait() {
    check(
        &format!(
            "0m ann {OPEN}
             0m clock
             0m answer bob mail refused
             1m clock
             1m answer bob phone refused
             1m clock"
        ),
        "INC-1 ann: opened as SEV2 (ann said so)
         INC-1 system: paging bob by mail, phone (L1 on-call: new)
         INC-1 system: sending to bob by mail
         INC-1 system: bob by mail FAILED: no
         INC-1 system: sending to bob by phone
         INC-1 system: bob by phone FAILED: no
         INC-1 system: paging dana by mail; bob by mail, phone (L2 senior: nothing got through to the level before)
         INC-1 system: sending to bob by mail
         INC-1 system: sending to dana by mail",
    );
}

#[test]
fn demand_3_an_answer_stops_every_pending_attempt() {
    let mut world = World::under(plan());
    let transcript = play(
        &mut world,
        &format!(
            r#"0m ann {OPEN}
               0m clock
               1m bob {{"do":"acknowledge","incident":1}}
               4m clock
               20m clock"#
        ),
    );
    assert!(transcript.ends_with("INC-1 bob: acknowledged\n"), "{transcript}");
    assert_eq!(world.recalled.len(), 1, "what was on its way is called back");
    assert_eq!(world.engine.waiting(), 0);
    assert_eq!(world.jobs.len(), 1);
}

#[test]
fn demand_6_a_forgotten_acknowledgement_pages_again_and_says_why() {
    check(
        &format!(
            r#"0m ann {OPEN}
               0m bob {{"do":"acknowledge","incident":1}}
               50m bob {{"do":"note","incident":1,"kind":"note","text":"still at it"}}
               61m clock
               110m clock"#
        ),
        "INC-1 ann: opened as SEV2 (ann said so)
         INC-1 bob: acknowledged
         INC-1 bob: still at it
         INC-1 system: the acknowledgement of bob expired: nothing was done for 60m; paging again
         INC-1 system: paging bob by mail, phone (L1 on-call: the acknowledgement of bob expired)
         INC-1 system: sending to bob by mail",
    );
}

#[test]
fn demand_8_all_of_a_level_must_answer() {
    check(
        r#"0m ann {"do":"open","title":"t","severity":"SEV2","services":["vault"]}
           0m clock
           1m bob {"do":"acknowledge","incident":1}
           602s clock
           12m dana {"do":"acknowledge","incident":1}
           90m clock"#,
        "INC-1 ann: opened as SEV2 (ann said so)
         INC-1 system: paging bob by mail, phone; dana by mail (both: new)
         INC-1 system: sending to bob by mail
         INC-1 system: sending to dana by mail
         INC-1 bob: acknowledged
         INC-1 system: paging erik by mail (manager: bob answered INC-1, not yet dana)
         INC-1 system: sending to erik by mail
         INC-1 dana: acknowledged",
    );
}

#[test]
fn demand_9_a_level_that_reaches_nobody_is_loud_and_pages_the_fallback() {
    check(
        r#"0m ann {"do":"open","title":"t","severity":"SEV2","services":["void"]}
           0m clock"#,
        "INC-1 ann: opened as SEV2 (ann said so)
         INC-1 system: level 'L1' reached NOBODY (L1: new); schedule empty: nobody; FALLBACK: paging fay by mail
         INC-1 system: sending to fay by mail
         INC-1 system: paging erik by mail (L2: the level before reached nobody)
         INC-1 system: sending to erik by mail",
    );
}

#[test]
fn what_is_minor_pages_nobody_until_it_is_raised() {
    check(
        r#"0m ann {"do":"open","title":"t","severity":"SEV4","services":["payments"]}
           30m clock
           40m ann {"do":"set-severity","incident":1,"severity":"SEV2","reason":""}
           40m clock"#,
        "INC-1 ann: opened as SEV4 (ann said so)
         INC-1 ann: SEV4 → SEV2
         INC-1 system: paging bob by mail, phone (L1 on-call: raised from SEV4 to SEV2)
         INC-1 system: sending to bob by mail",
    );
}

#[test]
fn escalation_by_hand_wants_an_answer_from_whom_it_reached() {
    check(
        &format!(
            r#"0m ann {OPEN}
               0m bob {{"do":"acknowledge","incident":1}}
               1m bob {{"do":"escalate","incident":1,"reason":""}}
               2m bob {{"do":"escalate","incident":1,"level":"manager","reason":"too big for me"}}
               2m clock
               3m answer erik mail accepted
               17m clock
               18m erik {{"do":"acknowledge","incident":1}}
               19m bob {{"do":"escalate","incident":1,"level":"ceo","reason":"x"}}"#
        ),
        "INC-1 ann: opened as SEV2 (ann said so)
         INC-1 bob: acknowledged
         refused bob: escalating INC-1 needs a reason; say why, in a few words
         INC-1 bob: paging erik by mail (manager: bob escalated: too big for me)
         INC-1 system: sending to erik by mail
         INC-1 system: erik by mail took it: 250 ok
         INC-1 system: telling zoe by mail (executive: bob answered INC-1, not yet erik)
         INC-1 system: sending to zoe by mail
         INC-1 erik: acknowledged
         refused bob: the policy of INC-1 has no level 'ceo'; use one of: L1 on-call, L2 senior, manager, executive",
    );
}
