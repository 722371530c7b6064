//! Exactly one commander, and a hand-over has two sides.

use warroom::domain::command::Command;
use warroom::domain::ids::IncidentId;
use warroom::domain::rejection::RejectionKind;
use warroom::domain::words::Severity;
use warroom::keeper::turn::{Input, Output};
use warroom::proto::{Ask, KeeperMsg, Reply};

use crate::world::{World, check};

#[test]
fn command_is_taken_once_and_handed_over_by_two_people() {
    check(
        r#"0m ann {"do":"open","title":"t","declare":true}
           1m ann {"do":"take-command","incident":1}
           2m bob {"do":"take-command","incident":1}
           3m bob {"do":"accept-command","incident":1}
           4m ann {"do":"offer-command","incident":1,"to":"bob"}
           5m see INC-1
           6m cat {"do":"accept-command","incident":1}
           7m bob {"do":"accept-command","incident":1}
           8m see INC-1
           9m ann {"do":"offer-command","incident":1,"to":"cat"}"#,
        "INC-1 ann: opened as SEV3 (not assessed yet)
         INC-1 ann: ann took command
         refused bob: ann commands INC-1; ask ann to offer you command
         refused bob: command of INC-1 was not offered; take it if it is free
         INC-1 ann: ann offered command to bob
         INC-1: SEV3 P3 investigating commander ann, 0 of 0 fire
         refused cat: command of INC-1 was offered to bob, not to you; ask ann to offer it to you
         INC-1 bob: bob took command from ann
         INC-1: SEV3 P3 investigating commander bob, 0 of 0 fire
         refused ann: bob commands INC-1, not you; only the commander can offer command",
    );
}

#[test]
fn an_open_incident_is_never_left_without_its_commander() {
    check(
        r#"0m ann {"do":"open","title":"t","declare":true}
           1m ann {"do":"take-command","incident":1}
           2m ann {"do":"leave-role","incident":1,"role":"commander","person":"ann"}
           3m ann {"do":"assign-role","incident":1,"role":"expert","person":"ann"}
           4m bob {"do":"assign-role","incident":1,"role":"commander","person":"bob"}
           5m bob {"do":"assign-role","incident":1,"role":"scribe","person":"cat"}"#,
        "INC-1 ann: opened as SEV3 (not assessed yet)
         INC-1 ann: ann took command
         refused ann: INC-1 may not be left without a commander; offer command to somebody; you command until they accept
         refused ann: ann commands INC-1 and cannot be its expert too; hand over command first: the commander does not resolve
         refused bob: command is not assigned; take it while it is free, or let the commander offer it
         INC-1 bob: cat is scribe",
    );
}

#[test]
fn the_second_writer_sees_the_change_and_decides_again() {
    let mut world = World::new();
    let title = "t".to_owned();
    let labels = std::collections::BTreeMap::new();
    let (services, note, declare, severity) = (Vec::new(), String::new(), true, None);
    world.act("ann", Command::Open { title, severity, services, labels, note, declare });
    let seen = Some(world.engine.room.seq);
    let incident = IncidentId(1);
    let raise =
        |severity| Command::SetSeverity { incident, severity, reason: "because".to_owned() };
    world.act("bob", raise(Severity::Sev1));
    let (client, id) = (world.client("ann"), world.id());
    let ask = Ask::Do { command: Box::new(raise(Severity::Sev2)), occurred: None, seen };
    let (events, out) = world.give(Input::Request { client, id, ask });
    assert!(events.is_empty(), "nothing is overwritten");
    let rejected = out.into_iter().find_map(|output| match output {
        Output::Say { message, .. } => match *message {
            KeeperMsg::Reply { reply: Reply::Rejected(rejection), .. } => Some(rejection),
            _ => None,
        },
        _ => None,
    });
    let rejection = rejected.expect("a refusal");
    assert_eq!(rejection.kind, RejectionKind::Conflict);
    assert!(rejection.what.starts_with("bob was quicker: set SEV1"), "{}", rejection.what);
}

#[test]
fn a_retry_under_the_same_id_is_done_once_also_after_a_restart() {
    let mut world = World::new();
    let ask = || Ask::Do {
        command: Box::new(serde_json::from_str(r#"{"do":"open","title":"t"}"#).expect("a command")),
        occurred: None,
        seen: None,
    };
    let id = world.id();
    let client = world.client("ann");
    let (first, _) = world.give(Input::Request { client, id: id.clone(), ask: ask() });
    let (again, _) = world.give(Input::Request { client, id: id.clone(), ask: ask() });
    assert_eq!((first.len(), again.len()), (1, 0));
    world.restart();
    let client = world.client("ann");
    let (after, out) = world.give(Input::Request { client, id, ask: ask() });
    assert!(after.is_empty());
    let answered = out.iter().any(|output| {
        matches!(output, Output::Say { message, .. }
            if matches!(&**message, KeeperMsg::Reply { reply: Reply::Done { incident: Some(IncidentId(1)), .. }, .. }))
    });
    assert!(answered, "a retry is answered again");
}
