//! Codes by which a page is answered from anywhere.

use warroom::domain::command::Command;
use warroom::domain::ids::IncidentId;
use warroom::domain::rejection::RejectionKind;
use warroom::proto::Reply;

use crate::features::paging_world::{OPEN, plan};
use crate::world::{World, play};

#[test]
fn a_code_answers_for_the_person_it_was_sent_to_and_only_once() {
    let mut world = World::under(plan());
    play(&mut world, &format!("0m ann {OPEN}\n0m clock"));
    let code = world.jobs[0].items[0].code.clone().expect("a page has a code");
    let script = format!(
        r#"1m eve {{"do":"acknowledge-by-code","code":"1-1-AAAAAAAA"}}
           1m eve {{"do":"acknowledge-by-code","code":"{}"}}
           1m eve {{"do":"acknowledge-by-code","code":"{code}"}}"#,
        code.to_lowercase()
    );
    let transcript = play(&mut world, &script);
    let refusal = "refused eve: that code belongs to no page; look at it letter by letter: it has no I, L, O or U; or 'warroom ack INC-7'\n";
    let answered = "INC-1 bob: acknowledged by the code of their page, given by eve\n";
    let late =
        "refused eve: INC-1 is answered by bob since 13:21; there is nothing left to answer\n";
    assert_eq!(transcript, format!("{refusal}{answered}{late}"));
    // The answer expires: whoever finds the oldest message first is not turned away.
    let script = format!(r#"63m eve {{"do":"acknowledge-by-code","code":"{code}"}}"#);
    let transcript = play(&mut world, &format!("62m clock\n{script}"));
    assert!(transcript.ends_with(answered), "{transcript}");
    // What is over says so.
    let more = r#"64m bob {"do":"decline","incident":1,"reason":"false-alarm","note":"a test"}"#;
    let script = format!(r#"65m eve {{"do":"acknowledge-by-code","code":"{code}"}}"#);
    let transcript = play(&mut world, &format!("{more}\n{script}"));
    assert!(transcript.contains("refused eve: INC-1 is over"), "{transcript}");
}

#[test]
fn an_answer_for_what_became_part_of_another_incident_is_one_for_that() {
    let mut world = World::under(plan());
    play(&mut world, &format!("0m ann {OPEN}\n0m clock"));
    let code = world.jobs[0].items[0].code.clone().expect("a page has a code");
    let merge = r#"1m ann {"do":"open","title":"the cause","severity":"SEV2","services":["payments"]}
        1m ann {"do":"merge","incident":1,"into":2}"#;
    let transcript = play(&mut world, &format!("{merge}\n1m clock"));
    assert!(transcript.contains("INC-2 system: paging"), "{transcript}");
    let by_code = Command::AcknowledgeByCode { code: code.clone() };
    let (reply, _) = world.act("eve", by_code.clone());
    let Reply::Done { incident, note, .. } = reply else { panic!("{reply:?}") };
    assert_eq!(incident, Some(IncidentId(2)));
    assert!(note.contains("INC-1 is part of INC-2: you answered INC-2"), "{note}");
    let ack = |world: &World| world.engine.room.incidents[&IncidentId(2)].ack.clone();
    assert_eq!(ack(&world).expect("it is answered").by, "bob");
    // Posted again it is done.
    let (reply, _) = world.act("eve", by_code);
    let Reply::Rejected(refusal) = reply else { panic!("{reply:?}") };
    assert_eq!(refusal.kind, RejectionKind::Already, "{refusal}");
    // By name likewise, also after a start that knows it from the archive alone.
    world.restart();
    let (reply, _) = world.act("dana", Command::Acknowledge { incident: IncidentId(1) });
    let Reply::Done { incident, note, .. } = reply else { panic!("{reply:?}") };
    assert_eq!(incident, Some(IncidentId(2)));
    assert!(note.contains("you answered INC-2"), "{note}");
    assert_eq!(ack(&world).expect("it is answered").by, "dana");
}
