//! The press: one voice, one statement until more can be said, and what it may print when.

use crate::features::talk::{at, begin, draft};
use crate::world::play;

#[test]
fn all_of_the_press_hear_one_holding_statement() {
    let mut world = begin();
    let talk = |minute: u32, who: &str, wish: &str| {
        format!(r#"{minute}m {who} {{"do":"talk","incident":1,"talk":{wish}}}"#)
    };
    let hold = r#"{"say":"hold","text":"We know of it and work on it."}"#;
    let ask = |outlet: &str| {
        format!(r#"{{"say":"inquire","outlet":"{outlet}","question":"Is it an attack?"}}"#)
    };
    let script = [
        talk(1, "bob", &ask("Evening News")),
        talk(1, "bob", &ask("The Paper")),
        talk(2, "dana", hold),
        r#"2m ann {"do":"assign-role","incident":1,"role":"spokesperson","person":"dana"}"#
            .to_owned(),
        talk(3, "dana", r#"{"say":"answer-inquiry","inquiry":1}"#),
        talk(3, "ann", hold),
        talk(3, "dana", hold),
        talk(4, "dana", r#"{"say":"answer-inquiry","inquiry":1}"#),
        talk(4, "dana", r#"{"say":"answer-inquiry","inquiry":2,"text":"No, it is not."}"#),
    ];
    let told = play(&mut world, &script.join("\n"));
    assert!(told.contains("refused dana: nobody speaks to the press"), "{told}");
    assert!(
        told.contains("refused dana: the answer is empty, and there is no holding statement"),
        "{told}"
    );
    assert!(told.contains("refused ann: dana speaks to the press"), "{told}");
    assert!(
        told.contains("what the press hears until more can be said, by dana: We know of it"),
        "{told}"
    );
    assert!(told.contains("dana answered inquiry 1: We know of it and work on it."), "{told}");
    assert!(told.contains("dana answered inquiry 2: No, it is not."), "{told}");
}

#[test]
fn what_is_under_an_embargo_reaches_the_public_before_only_for_a_reason() {
    let mut world = begin();
    let ask = format!(
        r#"1m bob {{"do":"talk","incident":1,"talk":{{"say":"inquire","outlet":"Evening News","question":"Is it an attack?","embargo":"{}"}}}}"#,
        at(60)
    );
    play(&mut world, &ask);
    let public = draft("public", &["customers"], Some(70), r#","public":"investigating""#);
    let refused = play(&mut world, &format!("2m ann {public}"));
    assert!(refused.contains("press 1 (Evening News) has an embargo until"), "{refused}");
    let internal = draft("internal", &["support"], Some(70), "");
    assert!(!play(&mut world, &format!("2m ann {internal}")).contains("refused"));
    let why = draft(
        "public",
        &["customers"],
        Some(70),
        r#","public":"investigating","before_embargo":"it leaked""#,
    );
    let told = play(&mut world, &format!("3m ann {why}"));
    assert!(told.contains("BEFORE AN EMBARGO ENDS: it leaked"), "{told}");
    let after = play(&mut world, &format!("61m ann {public}"));
    assert!(!after.contains("embargo"), "{after}");
}

#[test]
fn a_conversation_is_logged_with_whom_what_they_asked_and_when_it_was() {
    let mut world = begin();
    let call = format!(
        r#"30m bob {{"do":"log-contact","incident":1,"stakeholder":"support","channel":"phone","text":"Not before noon.","next_by":"{}","person":"Kim","asked":"When is it back?"}}"#,
        at(50)
    );
    let told = play(&mut world, &call);
    assert!(
        told.contains("support (Kim) asked by phone: When is it back? · told: Not before noon."),
        "{told}"
    );
    assert!(told.contains("next by"), "{told}");
    let nothing = r#"31m bob {"do":"log-contact","incident":1,"stakeholder":"support","channel":"phone","text":" ","next_by":null,"asked":"And now?"}"#;
    let refused = play(&mut world, nothing);
    assert!(refused.contains("the text is empty"), "{refused}");
}
