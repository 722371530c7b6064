//! What is put on record: notes, remedies, contacts, links, merge and split.

use warroom::domain::ids::IncidentId;
use warroom::domain::words::Severity;

use crate::world::{World, check, play};

#[test]
fn a_workaround_has_an_end_and_outliving_it_is_told_once() {
    check(
        r#"0m ann {"do":"open","title":"t","declare":true}
           1m ann {"do":"remedy","incident":1,"kind":"workaround","text":"pool 50 to 200","expires":null}
           2m ann {"do":"remedy","incident":1,"kind":"fix","text":"x","expires":"2026-11-23T20:00:00Z"}
           3m ann {"do":"remedy","incident":1,"kind":"workaround","text":"pool 50 to 200","expires":"2026-11-23T13:30:00Z"}
           4m ann {"do":"judge-remedy","incident":1,"remedy":1,"outcome":"worked","evidence":"errors gone"}
           5m ann {"do":"judge-remedy","incident":1,"remedy":7,"outcome":"worked","evidence":""}
           60m clock tick
           61m clock tick
           62m ann {"do":"resolve","incident":1,"reason":"mitigated","evidence":"ok"}
           63m ann {"do":"close","incident":1,"note":""}
           64m ann {"do":"close","incident":1,"note":"ticket 99 follows it up","silent":"support read the ticket"}"#,
        "INC-1 ann: opened as SEV3 (not assessed yet)
         refused ann: a workaround needs an end; say until when it may stay, e.g. 4h
         refused ann: a fix does not expire; only a workaround does
         INC-1 ann: workaround 1: pool 50 to 200 (until 13:30, 6m)
         INC-1 ann: ✓ remedy 1 worked: errors gone
         refused ann: INC-1 has no remedy 7; it has 1
         INC-1 system: workaround 1 outlived its time
         INC-1 system: NOT TOLD IN TIME: support (due 13:50); telling ann
         INC-1 system: sending to ann by terminal
         INC-1 system: ann by terminal FAILED: no console of theirs is open
         INC-1 system: STILL NOT TOLD: support (due 13:50); telling ann
         INC-1 system: sending to ann by file
         INC-1 system: sending to ann by terminal
         INC-1 system: ann by terminal FAILED: no console of theirs is open
         INC-1 ann: resolved (mitigated): ok
         refused ann: INC-1 still runs on a workaround (1: pool 50 to 200); judge it 'removed', or say with the closing (its note, --note) who follows it up
         INC-1 ann: closed: ticket 99 follows it up · NO LAST WORD TO ALL WHO MUST KNOW: support read the ticket",
    );
}

#[test]
fn a_merge_takes_the_alerts_along_and_can_be_taken_back() {
    check(
        r#"0m ungrouped A/x
           1m ungrouped B/y
           2m ann {"do":"merge","incident":2,"into":2}
           3m ann {"do":"merge","incident":2,"into":1}
           4m see INC-1
           5m see INC-2
           6m ungrouped B/z
           7m kill now
           8m ann {"do":"unmerge","incident":2}
           9m see INC-1
           10m see INC-2"#,
        "INC-1 am: opened as SEV2 (the sender said 'critical')
         INC-1 am: A x fires
         INC-2 am: opened as SEV2 (the sender said 'critical')
         INC-2 am: B y fires
         refused ann: INC-2 cannot be merged into itself; name another incident
         INC-1 ann: INC-2 was merged in with 1 alerts
         INC-2 ann: merged into INC-1
         INC-1: SEV2 P2 triage commander nobody, 2 of 2 fire
         INC-2: not in the room
         INC-1 am: B z fires
         INC-1 ann: INC-2 stands on its own again
         INC-2 ann: no longer part of INC-1
         INC-1: SEV2 P2 triage commander nobody, 2 of 2 fire
         INC-2: SEV2 P2 triage commander nobody, 1 of 1 fire",
    );
}

#[test]
fn one_of_a_chain_of_merges_gets_its_alerts_back() {
    check(
        r#"0m ungrouped A/x
           1m ungrouped B/y
           2m ungrouped C/z
           3m ann {"do":"merge","incident":1,"into":2}
           4m ann {"do":"merge","incident":2,"into":3}
           5m kill now
           6m ann {"do":"unmerge","incident":1}
           7m see INC-1
           8m see INC-3
           9m ann {"do":"resolve","incident":1,"reason":"fixed","evidence":"looks fine"}
           10m ann {"do":"unmerge","incident":2}
           11m see INC-2
           12m see INC-3"#,
        "INC-1 am: opened as SEV2 (the sender said 'critical')
         INC-1 am: A x fires
         INC-2 am: opened as SEV2 (the sender said 'critical')
         INC-2 am: B y fires
         INC-3 am: opened as SEV2 (the sender said 'critical')
         INC-3 am: C z fires
         INC-2 ann: INC-1 was merged in with 1 alerts
         INC-1 ann: merged into INC-2
         INC-3 ann: INC-2 was merged in with 2 alerts
         INC-2 ann: merged into INC-3
         INC-2 ann: INC-1 stands on its own again
         INC-3 ann: INC-1 stands on its own again
         INC-1 ann: no longer part of INC-2
         INC-1: SEV2 P2 triage commander nobody, 1 of 1 fire
         INC-3: SEV2 P2 triage commander nobody, 2 of 2 fire
         refused ann: 1 alert(s) of INC-1 still fire: A; wait until they clear, or force it with a reason
         INC-3 ann: INC-2 stands on its own again
         INC-2 ann: no longer part of INC-3
         INC-2: SEV2 P2 triage commander nobody, 1 of 1 fire
         INC-3: SEV2 P2 triage commander nobody, 1 of 1 fire",
    );
}

#[test]
fn what_a_merge_raised_is_as_it_was_when_that_is_taken_back() {
    let script = |between: &str| {
        format!(
            r#"0m ann {{"do":"open","title":"a","severity":"SEV2"}}
               0m ann {{"do":"open","title":"b","severity":"SEV4"}}
               1m ann {{"do":"merge","incident":1,"into":2}}
               {between}
               3m ann {{"do":"unmerge","incident":1}}"#
        )
    };
    let severity = |between: &str| {
        let mut world = World::new();
        play(&mut world, &script(between));
        world.engine.room.incidents[&IncidentId(2)].severity
    };
    assert_eq!(severity(""), Severity::Sev4);
    let judged = r#"2m ann {"do":"set-severity","incident":2,"severity":"SEV1","reason":"worse"}"#;
    assert_eq!(severity(judged), Severity::Sev1, "somebody judged it since");
}

#[test]
fn links_make_no_circle() {
    let mut world = World::new();
    let open = r#"{"do":"open","title":"a","severity":"SEV4"}"#;
    let link = |of: u32, other: u32, kind: &str| {
        format!(r#"1m ann {{"do":"link","incident":{of},"other":{other},"kind":"{kind}"}}"#)
    };
    let told = play(
        &mut world,
        &[
            format!("0m ann {open}\n0m ann {open}\n0m ann {open}"),
            link(1, 2, "caused-by"),
            link(2, 3, "caused-by"),
            link(3, 1, "caused-by"),
            link(3, 1, "duplicate-of"),
            link(1, 3, "duplicate-of"),
            link(1, 3, "related-to"),
            link(3, 1, "related-to"),
        ]
        .join("\n"),
    );
    assert_eq!(told.matches("refused ann").count(), 2, "{told}");
    assert!(told.contains("INC-1 is caused-by INC-3 already, maybe through others"), "{told}");
}

#[test]
fn a_split_makes_an_incident_of_some_alerts() {
    check(
        r#"0m alerts A/x, A/y
           1m ann {"do":"split","incident":1,"alerts":["am/A-q"],"title":"y"}
           2m ann {"do":"split","incident":1,"alerts":["am/A-y"],"title":"only y"}
           3m see INC-1
           4m see INC-2
           5m alerts !A/y
           6m see INC-2"#,
        "INC-1 am: opened as SEV2 (the sender said 'critical')
         INC-1 am: A x fires (+1 alerts)
         refused ann: 'am/A-q' is not an alert of INC-1; name alerts of this incident
         INC-2 ann: opened as SEV2 (split off INC-1)
         INC-1 ann: 1 alerts became INC-2
         INC-2 ann: came with 1 alerts from INC-1
         INC-1: SEV2 P2 triage commander nobody, 1 of 1 fire
         INC-2: SEV2 P2 triage commander nobody, 1 of 1 fire
         INC-2 am: A y is over
         INC-2: SEV2 P2 triage commander nobody, 0 of 1 fire",
    );
}

#[test]
fn links_are_told_and_taken_back() {
    check(
        r#"0m ann {"do":"open","title":"a"}
           1m ann {"do":"open","title":"b"}
           2m ann {"do":"link","incident":1,"other":2,"kind":"caused-by"}
           3m ann {"do":"link","incident":1,"other":2,"kind":"caused-by"}
           4m ann {"do":"link","incident":1,"other":9,"kind":"caused-by"}
           5m ann {"do":"unlink","incident":1,"other":2,"kind":"caused-by"}"#,
        "INC-1 ann: opened as SEV3 (not assessed yet)
         INC-2 ann: opened as SEV3 (not assessed yet)
         INC-1 ann: caused-by INC-2
         refused ann: INC-1 is caused-by INC-2; nothing was changed
         refused ann: INC-9 does not exist; list what is open with 'warroom list'
         INC-1 ann: no longer caused-by INC-2",
    );
}

#[test]
fn corrections_and_redactions_are_entries_of_their_own() {
    check(
        r#"0m ann {"do":"open","title":"a"}
           1m ann {"do":"note","incident":1,"kind":"note","text":"the password is hunter2"}
           2m ann {"do":"correct-entry","incident":1,"entry":3,"text":"the key was rotated"}
           3m ann {"do":"redact-entry","incident":1,"entry":3,"reason":""}
           4m ann {"do":"redact-entry","incident":1,"entry":3,"reason":"a secret"}
           5m ann {"do":"correct-entry","incident":1,"entry":99,"text":"x"}
           6m ann {"do":"note","incident":1,"kind":"note","text":"  "}"#,
        "INC-1 ann: opened as SEV3 (not assessed yet)
         INC-1 ann: the password is hunter2
         INC-1 ann: correction of #3: the key was rotated
         refused ann: redacting an entry needs a reason; say why, in a few words
         INC-1 ann: redacted #3: a secret
         refused ann: entry 99 holds no words of INC-1; give the number of a note, contact or remedy of this incident ('warroom show')
         refused ann: the text is empty; say the text in words",
    );
}

#[test]
fn a_contact_says_who_was_told_what_and_when_the_next_word_comes() {
    check(
        r#"0m ann {"do":"open","title":"a","declare":true}
           1m ann {"do":"log-contact","incident":1,"stakeholder":"support","channel":"phone","text":"we are on it","next_by":"2026-11-23T13:40:00Z"}
           2m ann {"do":"log-contact","incident":1,"stakeholder":"","channel":"","text":"x","next_by":null}
           3m ann {"do":"revise-moment","incident":1,"moment":"began","at":"2026-11-23T12:00:00Z","reason":"log of the balancer"}
           4m ann {"do":"revise-moment","incident":1,"moment":"began","at":"2036-11-23T12:00:00Z","reason":"x"}
           5m ann {"do":"set-public-status","incident":1,"status":"investigating"}"#,
        "INC-1 ann: opened as SEV3 (not assessed yet)
         INC-1 ann: told support by phone: we are on it · next by 13:40
         refused ann: the stakeholder is empty; say the stakeholder in words
         INC-1 ann: 'began' was at 2026-11-23T12:00:00.000Z: log of the balancer
         refused ann: 'began' cannot lie in the future; give a time up to now
         INC-1 ann: public status: investigating",
    );
}
