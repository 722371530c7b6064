//! From the report to the end, and back.

use crate::world::check;

#[test]
fn a_report_is_triaged_declared_worked_and_closed() {
    check(
        r#"0m eve {"do":"open","title":"checkout is slow","note":"since ten o'clock"}
           1m ann {"do":"acknowledge","incident":1}
           2m ann {"do":"triage","incident":1,"impact":"high","urgency":"medium"}
           3m ann {"do":"declare","incident":1,"reason":"customers write in"}
           4m ann {"do":"set-phase","incident":1,"phase":"identified","reason":"pool exhausted"}
           5m ann {"do":"resolve","incident":1,"reason":"fixed","evidence":"p99 is 80 ms again"}
           6m ann {"do":"start-review","incident":1}
           7m ann {"do":"close","incident":1,"note":""}
           8m ann {"do":"close","incident":1,"note":"","silent":"support sat with us"}
           9m see INC-1"#,
        "INC-1 eve: opened as SEV3 (not assessed yet)
         INC-1 eve: statement: since ten o'clock
         INC-1 ann: acknowledged
         INC-1 ann: triaged: high impact × medium urgency = P2
         INC-1 ann: declared an incident: customers write in
         INC-1 ann: → identified: pool exhausted
         INC-1 ann: resolved (fixed): p99 is 80 ms again
         INC-1 ann: review started
         refused ann: INC-1: support must know of it and heard nothing; tell them, or say why they need no more (--silent WHY, or 'no last word' in the form)
         INC-1 ann: closed: NO LAST WORD TO ALL WHO MUST KNOW: support sat with us
         INC-1: not in the room",
    );
}

#[test]
fn raising_a_severity_is_free_and_lowering_it_asks_for_a_reason() {
    check(
        r#"0m ann {"do":"open","title":"t","severity":"SEV3","declare":true}
           1m bob {"do":"set-severity","incident":1,"severity":"SEV1","reason":""}
           2m bob {"do":"set-severity","incident":1,"severity":"SEV2","reason":" "}
           3m bob {"do":"set-severity","incident":1,"severity":"SEV2","reason":"one region only"}
           4m bob {"do":"set-severity","incident":1,"severity":"SEV2","reason":""}"#,
        "INC-1 ann: opened as SEV3 (ann said so)
         INC-1 bob: SEV3 → SEV1
         refused bob: lowering INC-1 from SEV1 to SEV2 needs a reason; say why, in a few words
         INC-1 bob: SEV1 → SEV2: one region only
         refused bob: INC-1 is SEV2; nothing was changed",
    );
}

#[test]
fn a_phase_goes_back_only_with_a_reason_and_never_to_triage() {
    check(
        r#"0m ann {"do":"open","title":"t","declare":true}
           1m ann {"do":"set-phase","incident":1,"phase":"monitoring","reason":""}
           2m ann {"do":"set-phase","incident":1,"phase":"investigating","reason":""}
           3m ann {"do":"set-phase","incident":1,"phase":"investigating","reason":"it is back"}
           4m ann {"do":"set-phase","incident":1,"phase":"triage","reason":"x"}
           5m ann {"do":"set-phase","incident":1,"phase":"resolved","reason":"x"}"#,
        "INC-1 ann: opened as SEV3 (not assessed yet)
         INC-1 ann: → monitoring
         refused ann: moving INC-1 back to investigating needs a reason; say why, in a few words
         INC-1 ann: → investigating: it is back
         refused ann: INC-1 cannot go back to triage; decline it if it was no incident, or lower its severity
         refused ann: INC-1 is not resolved by a phase; use 'resolve', with evidence",
    );
}

#[test]
fn resolving_is_refused_while_an_alert_fires_unless_it_is_forced_with_a_reason() {
    check(
        r#"0m alerts HighErrors/a
           1m ann {"do":"resolve","incident":1,"reason":"fixed","evidence":"looks good"}
           2m ann {"do":"resolve","incident":1,"reason":"fixed","evidence":""}
           3m ann {"do":"resolve","incident":1,"reason":"fixed","evidence":"ok","force":"the alert is stale"}
           4m see INC-1"#,
        "INC-1 am: opened as SEV2 (the sender said 'critical')
         INC-1 am: HighErrors a fires
         refused ann: 1 alert(s) of INC-1 still fire: HighErrors; wait until they clear, or force it with a reason
         refused ann: the evidence is empty; say the evidence in words
         INC-1 ann: resolved (fixed): ok · FORCED: the alert is stale
         INC-1: SEV2 P2 resolved commander nobody, 1 of 1 fire",
    );
}

#[test]
fn reopening_voids_the_resolution_also_after_a_restart() {
    check(
        r#"0m ann {"do":"open","title":"t","declare":true}
           1m ann {"do":"resolve","incident":1,"reason":"fixed","evidence":"ok"}
           2m ann {"do":"close","incident":1,"note":"","silent":"support saw it"}
           3m kill now
           4m ann {"do":"reopen","incident":1,"reason":""}
           5m ann {"do":"reopen","incident":1,"reason":"it is back"}
           6m see INC-1
           7m ann {"do":"resolve","incident":1,"reason":"fixed","evidence":""}"#,
        "INC-1 ann: opened as SEV3 (not assessed yet)
         INC-1 ann: resolved (fixed): ok
         INC-1 ann: closed: NO LAST WORD TO ALL WHO MUST KNOW: support saw it
         refused ann: reopening INC-1 needs a reason; say why, in a few words
         INC-1 ann: reopened, the resolution is void: it is back
         INC-1: SEV3 P3 investigating commander nobody, 0 of 0 fire
         refused ann: the evidence is empty; say the evidence in words",
    );
}

#[test]
fn a_major_incident_is_declined_only_with_a_note() {
    check(
        r#"0m ann {"do":"open","title":"t","severity":"SEV1"}
           1m ann {"do":"decline","incident":1,"reason":"false-alarm","note":""}
           2m ann {"do":"decline","incident":1,"reason":"false-alarm","note":"a test alert"}
           3m ann {"do":"acknowledge","incident":1}"#,
        "INC-1 ann: opened as SEV1 (ann said so)
         refused ann: declining a SEV1 needs a note; say what shows that it is no incident
         INC-1 ann: declined (false-alarm): a test alert
         refused ann: INC-1 is declined; reopen it first",
    );
}

#[test]
fn who_may_only_observe_may_report_and_nothing_else() {
    check(
        r#"0m eve {"do":"open","title":"smoke in room 3"}
           1m eve {"do":"acknowledge","incident":1}
           2m eve {"do":"open","title":"x","declare":true}"#,
        "INC-1 eve: opened as SEV3 (not assessed yet)
         refused eve: eve may only observe here; ask somebody who may respond, or an administrator
         refused eve: eve may only observe here; ask somebody who may respond, or an administrator",
    );
}
