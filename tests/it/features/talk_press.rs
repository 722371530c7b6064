//! The press: one voice, one statement until more can be said, and what it may print when.

use warroom::domain::plan::{Person, Plan};
use warroom::keeper::turn::Job;

use crate::features::talk::{BEGIN, at, begin, draft, letter, plan};
use crate::world::{World, play};

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
    assert!(
        told.contains("dana gave inquiry 1 the holding statement, an answer by 14:24"),
        "it is no answer: {told}"
    );
    let late = play(&mut world, "60m clock\n65m clock");
    assert!(late.contains("NOT TOLD IN TIME: press 1 (Evening News) (due 14:24)"), "{late}");
    let told = told
        + &play(
            &mut world,
            &talk(70, "dana", r#"{"say":"answer-inquiry","inquiry":1,"text":"It is not."}"#),
        );
    assert!(told.contains("dana answered inquiry 1: It is not."), "{told}");
    // What was said wrong is put right with them.
    let again = play(
        &mut world,
        &[
            talk(71, "dana", r#"{"say":"answer-inquiry","inquiry":1,"text":"It is not."}"#),
            talk(72, "dana", r#"{"say":"answer-inquiry","inquiry":1,"text":"It may be."}"#),
        ]
        .join("\n"),
    );
    assert!(again.contains("refused dana") && again.contains("inquiry 1: It may be."), "{again}");
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
fn an_embargo_is_lifted_or_ends_at_another_time_and_holds_what_waits_for_approval() {
    let mut world = begin();
    let public = draft("public", &["customers"], Some(90), r#","public":"investigating""#);
    play(&mut world, &format!("1m dana {public}"));
    let ask = format!(
        r#"1m bob {{"do":"talk","incident":1,"talk":{{"say":"inquire","outlet":"Evening News","question":"Is it an attack?","embargo":"{}"}}}}"#,
        at(60)
    );
    play(&mut world, &ask);
    let approve = r#"{"do":"talk","incident":1,"talk":{"say":"approve","update":1}}"#;
    let held = play(&mut world, &format!("2m ann {approve}"));
    assert!(held.contains("refused ann: press 1 (Evening News) has an embargo until"), "{held}");
    let change = |minute: u32, rest: &str, why: &str| {
        format!(
            r#"{minute}m bob {{"do":"talk","incident":1,"talk":{{"say":"move-inquiry","inquiry":1,{rest},"reason":"{why}"}}}}"#
        )
    };
    // Whoever lets it go may say why it goes out all the same.
    {
        let mut world = begin();
        play(&mut world, &format!("1m dana {public}\n{ask}"));
        let why = approve
            .replace(r#""update":1"#, r#""update":1,"before_embargo":"people are in danger""#);
        let told = play(&mut world, &format!("2m ann {why}"));
        assert!(told.contains("BEFORE AN EMBARGO ENDS: people are in danger"), "{told}");
    }
    let lifted = r#""embargo":"lifted""#;
    assert!(play(&mut world, &change(3, lifted, "")).contains("refused bob"));
    let same = play(&mut world, &change(3, r#""answer_by":"kept""#, "why"));
    assert!(same.contains("has these times"), "{same}");
    let past = format!(r#""embargo":{{"to":"{}"}}"#, at(1));
    assert!(play(&mut world, &change(3, &past, "why")).contains("refused bob"));
    let later = format!(r#""answer_by":{{"to":"{}"}}"#, at(40));
    let told = play(&mut world, &change(4, &later, "they called"));
    assert!(told.contains("press inquiry 1: needed by"), "{told}");
    assert!(!told.contains("no embargo"), "{told}");
    let told = play(&mut world, &change(5, lifted, "they print it at once"));
    assert!(told.contains("no embargo from now on: they print it at once"), "{told}");
    let sent = play(&mut world, &format!("6m ann {approve}"));
    assert!(!sent.contains("refused"), "{sent}");
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

#[test]
fn what_one_of_many_is_told_leaves_what_all_were_promised_and_a_reopening_does_too() {
    let mut world = begin();
    let public = draft("public", &["customers"], Some(20), r#","public":"investigating""#);
    play(
        &mut world,
        &format!(
            r#"1m bob {public}
               2m ann {{"do":"talk","incident":1,"talk":{{"say":"approve","update":1}}}}"#
        ),
    );
    let next = |world: &World| letter(world).told["customers"].next_by;
    let promised = next(&world);
    assert!(promised.is_some());
    let call = |more: &str| {
        format!(
            r#"3m bob {{"do":"log-contact","incident":1,"stakeholder":"customers","channel":"phone","text":"t","person":"Ms Kahn"{more}}}"#
        )
    };
    let refused = play(&mut world, &call(&format!(r#","next_by":"{}""#, at(90))));
    assert!(refused.contains("customers are many"), "{refused}");
    let told = play(&mut world, &call(r#","next_by":null"#));
    assert!(told.contains("told one of customers (Ms Kahn) by phone: t"), "{told}");
    assert_eq!(next(&world), promised);
    assert!(letter(&world).talk.proofs.contains_key("customers"), "and the proof stands");
    // A resolution that was none takes no promise back.
    play(
        &mut world,
        r#"4m ann {"do":"resolve","incident":1,"reason":"fixed","evidence":"seems ok"}
           5m ann {"do":"reopen","incident":1,"reason":"it is not"}"#,
    );
    assert_eq!(next(&world), promised);
}

#[test]
fn words_that_name_another_time_than_is_promised_name_the_one_that_is() {
    let mut world = begin();
    let words = |language: &str, text: &str| serde_json::json!({ "language": language, "subject": "s", "text": text });
    let update = serde_json::json!({"do": "talk", "incident": 1, "talk": {
    "say": "draft", "audience": "internal", "to": ["support"], "next_by": at(45),
    "words": [
        words("de", "Es geht nicht.\n\nNächste Nachricht bis 2026-11-23 14:34 CET."),
        words("en", "It fails.\n\nNext update by 2026-11-23 13:34 UTC, from bob."),
    ]}});
    play(&mut world, &format!("1m bob {update}"));
    let said = &letter(&world).talk.updates[0].draft.words;
    assert_eq!(said[0].text, "Es geht nicht.\n\nNächste Nachricht bis 2026-11-23 14:05 UTC.");
    assert_eq!(said[1].text, "It fails.\n\nNext update by 2026-11-23 14:05 UTC, from bob.");
}

#[test]
fn whoever_approves_hears_that_an_update_waits() {
    let mut plan = plan();
    plan.stakeholders.get_mut("customers").expect("they").approvers = vec!["zoe".to_owned()];
    let mut world = World::under(plan);
    play(&mut world, BEGIN);
    let public = draft("public", &["customers"], Some(20), r#","public":"investigating""#);
    play(&mut world, &format!("1m bob {public}\n1m clock"));
    let job = world.jobs.last().expect("a message");
    assert_eq!(job.destination.to, "zoe");
    let (subject, text) = job.update.clone().expect("words");
    assert_eq!(subject, "INC-1 update 1 waits for your approval");
    assert!(
        text.contains("warroom approve INC-1 1") && text.contains("One in ten fails."),
        "{text}"
    );
}

#[test]
fn whoever_approves_the_same_words_about_several_hears_of_all_of_them_at_once() {
    let mut world = begin();
    play(
        &mut world,
        r#"0m ann {"do":"open","title":"b","severity":"SEV2","services":["payments"]}
           0m ann {"do":"take-command","incident":2}"#,
    );
    let public =
        draft("public", &["customers"], Some(20), r#","public":"investigating","together":true"#);
    let second = public.replace(r#""incident":1"#, r#""incident":2"#);
    let before = world.jobs.len();
    let mut plan = world.engine.room.plan.clone();
    let fay = plan.people.get("fay").expect("fay").clone();
    plan.people.insert("ann".to_owned(), fay);
    let (digest, note) = ("with ann".to_owned(), String::new());
    world.give(warroom::keeper::turn::Input::Own(warroom::domain::event::Body::PlanAdopted {
        plan: Box::new(plan),
        digest,
        note,
    }));
    play(&mut world, &format!("1m bob {public}\n1m bob {second}\n2m clock"));
    let to_ann: Vec<_> =
        world.jobs[before..].iter().filter(|job| job.destination.to == "ann").collect();
    assert_eq!(to_ann.len(), 1, "{to_ann:?}");
    let (subject, text) = to_ann[0].update.clone().expect("words");
    assert_eq!(subject, "INC-1 update 1 waits for your approval (+1 more)");
    assert!(text.contains("warroom approve INC-1 1"), "{text}");
    assert!(text.contains("warroom approve INC-2 1"), "{text}");
}

#[test]
fn words_of_the_commander_are_looked_at_by_somebody_else_and_who_is_passed_over_hears_of_it() {
    let mut plan = plan();
    let fay = plan.people.get("fay").expect("fay").clone();
    plan.people.insert("ann".to_owned(), fay);
    let mut world = World::under(plan);
    play(&mut world, BEGIN);
    let to = |world: &World, who: &str| -> Vec<String> {
        let theirs = world.jobs.iter().filter(|job| job.destination.to == who);
        theirs.filter_map(|job| Some(job.update.as_ref()?.0.clone())).collect()
    };
    // Ann commands and wrote it; bob has the incident.
    let public = draft("public", &["customers"], Some(20), r#","public":"investigating""#);
    play(&mut world, &format!("1m ann {public}\n1m clock"));
    assert_eq!(to(&world, "bob"), ["INC-1 update 1 waits for your approval"]);
    // Bob wrote the next one, and sends it alone.
    let force =
        r#"{"do":"talk","incident":1,"talk":{"say":"approve","update":2,"force":"ann sleeps"}}"#;
    play(&mut world, &format!("2m bob {public}\n2m clock\n3m bob {force}\n3m clock"));
    assert_eq!(
        to(&world, "ann"),
        ["INC-1 update 2 waits for your approval", "INC-1 update 2 went out without your look"]
    );
}

#[test]
fn words_that_wait_are_told_to_others_where_no_message_reaches_whoever_may_look() {
    let asked = |plan: Plan, begin: &str| -> (String, String) {
        let mut world = World::under(plan);
        play(&mut world, begin);
        let public = draft("public", &["customers"], Some(20), r#","public":"investigating""#);
        play(&mut world, &format!("1m bob {public}\n1m clock"));
        let of = |job: &Job| {
            let (subject, text) = job.update.clone()?;
            Some((format!("{}: {subject}", job.destination.to), text))
        };
        world.jobs.iter().rev().find_map(of).expect("somebody is told")
    };
    // Ann commands, no message reaches her, and nobody else has a part in it but bob, who wrote it.
    let (to, text) = asked(plan(), BEGIN);
    assert_eq!(to, "fay: INC-1 update 1 waits for ann, whom no message reaches");
    assert!(text.contains("with a reason (--force)"), "{text}");
    // Nor does anything reach those whom the plan names.
    let mut named = plan();
    named.stakeholders.get_mut("customers").expect("they").approvers = vec!["gil".to_owned()];
    let gil = Person::default();
    named.people.insert("gil".to_owned(), gil);
    let (to, _) = asked(named, BEGIN);
    assert_eq!(to, "fay: INC-1 update 1 waits for gil, whom no message reaches");
    // Nobody commands, and nobody else has a part in it.
    let (begin, _) =
        BEGIN.split_once("\n    0m ann {\"do\":\"take-command\"").expect("it is there");
    let (to, text) = asked(plan(), begin);
    assert_eq!(to, "fay: INC-1 update 1 waits for a second look, and nobody is there to take it");
    assert!(text.contains("Take command if nobody has it"), "{text}");
}

/// Somebody of the press asks, with more of what was agreed on.
fn asks(minute: u32, outlet: &str, more: &str) -> String {
    format!(
        r#"{minute}m bob {{"do":"talk","incident":1,"talk":{{"say":"inquire","outlet":"{outlet}","question":"Is it an attack?"{more}}}}}"#
    )
}

#[test]
fn a_reason_that_was_given_for_one_embargo_holds_for_no_later_one() {
    let mut world = begin();
    let embargo = |minutes| format!(r#","embargo":"{}""#, at(minutes));
    let public = draft(
        "public",
        &["customers"],
        Some(90),
        r#","public":"investigating","before_embargo":"the News agreed""#,
    );
    let approve = r#"{"do":"talk","incident":1,"talk":{"say":"approve","update":1}}"#;
    let told = play(
        &mut world,
        &format!(
            "{}\n2m dana {public}\n{}\n4m ann {approve}",
            asks(1, "Evening News", &embargo(60)),
            asks(3, "The Paper", &embargo(50)),
        ),
    );
    assert!(told.contains("refused ann: press 2 (The Paper) has an embargo until"), "{told}");
    let why = approve.replace(r#""update":1"#, r#""update":1,"before_embargo":"so did the Paper""#);
    let told = play(&mut world, &format!("5m ann {why}"));
    assert!(told.contains("BEFORE AN EMBARGO ENDS: so did the Paper"), "{told}");
}

#[test]
fn what_is_under_an_embargo_is_not_merged_into_what_is_not() {
    let mut world = begin();
    let open = r#"1m ann {"do":"open","title":"other","severity":"SEV2","services":["payments"],"declare":true}"#;
    let merge = |from: u32, into: u32| {
        format!(r#"3m ann {{"do":"merge","incident":{from},"into":{into}}}"#)
    };
    let answer = r#"2m dana {"do":"talk","incident":1,"talk":{"say":"answer-inquiry","inquiry":1,"text":"No."}}"#;
    let speaker =
        r#"1m ann {"do":"assign-role","incident":1,"role":"spokesperson","person":"dana"}"#;
    let ask = asks(1, "Evening News", &format!(r#","embargo":"{}""#, at(60)));
    let told = play(&mut world, &format!("{open}\n{ask}\n{speaker}\n{answer}\n{}", merge(1, 2)));
    assert!(told.contains("refused ann: press 1 (Evening News) of INC-1 has an embargo"), "{told}");
    let told = play(&mut world, &merge(2, 1));
    assert!(!told.contains("refused"), "{told}");
}

#[test]
fn a_question_without_a_time_has_one_of_our_own_and_nothing_is_closed_over_it() {
    let mut world = begin();
    let told = play(&mut world, &format!("{}\n60m clock\n62m clock", asks(1, "The Paper", "")));
    assert!(told.contains("NOT TOLD IN TIME: press 1 (The Paper) (due 14:21)"), "{told}");
    // What was agreed to have no end has no clock; an answer is owed all the same.
    let mut world = begin();
    let by = format!(r#","answer_by":"{}""#, at(30));
    let free = r#"2m bob {"do":"talk","incident":1,"talk":{"say":"move-inquiry","inquiry":1,"answer_by":"lifted","reason":"they wait for the report"}}"#;
    let told = play(
        &mut world,
        &format!(
            r#"{}
               {free}
               90m clock
               91m ann {{"do":"resolve","incident":1,"reason":"fixed","evidence":"quiet"}}
               92m ann {{"do":"close","incident":1,"note":""}}"#,
            asks(1, "The Paper", &by)
        ),
    );
    let missed = told.lines().filter(|line| line.contains("NOT TOLD") && line.contains("press"));
    assert_eq!(missed.count(), 0, "{told}");
    assert!(told.contains("heard nothing; press 1 (The Paper) wait for a word; tell"), "{told}");
}

#[test]
fn whoever_wrote_words_that_somebody_else_takes_back_hears_why_and_has_them_again() {
    let mut world = begin();
    let public = draft("public", &["customers"], Some(90), r#","public":"investigating""#);
    let back = r#"{"do":"talk","incident":1,"talk":{"say":"withdraw","update":1,"reason":"one line must go"}}"#;
    let told = play(&mut world, &format!("1m dana {public}\n2m ann {back}\n2m clock"));
    assert!(told.contains("update 1 was taken back: one line must go"), "{told}");
    let job = world.jobs.iter().rev().find(|job| job.destination.to == "dana").expect("a word");
    let (subject, text) = job.update.as_ref().expect("words");
    assert_eq!(subject, "INC-1 update 1 does not go: ann took it back");
    assert!(text.contains("ann: one line must go") && text.contains("One in ten fails."), "{text}");
}

#[test]
fn a_message_that_asks_for_a_look_and_fails_is_followed_by_others_and_whoever_wrote_hears_of_it() {
    // Ann commands, and can be reached by mail.
    let mut plan = plan();
    for login in ["ann", "bob"] {
        let contacts = vec![format!("mail:{login}@example.org")];
        plan.people.insert(login.to_owned(), Person { contacts, ..Person::default() });
    }
    let mut world = World::under(plan);
    play(&mut world, BEGIN);
    let public = draft("public", &["customers"], Some(20), r#","public":"investigating""#);
    let asked = |world: &World| {
        let job = world.jobs.iter().rev().find(|job| job.update.is_some()).expect("a word");
        (job.destination.to.clone(), job.update.clone().expect("words").0)
    };
    play(&mut world, &format!("1m bob {public}\n1m clock"));
    let (to, subject) = asked(&world);
    assert_eq!((to.as_str(), subject.as_str()), ("ann", "INC-1 update 1 waits for your approval"));
    let told = play(&mut world, "1m answer ann mail refused\n2m clock");
    assert!(told.contains("NOT ASKED: ann does not know that update 1 waits: "), "{told}");
    let (to, subject) = asked(&world);
    assert_eq!(
        (to.as_str(), subject.as_str()),
        ("fay", "INC-1 update 1 waits for ann, whom no message reaches")
    );
    let told = play(&mut world, "2m answer fay mail refused\n3m clock\n4m kill now\n4m clock");
    assert!(told.contains("NOT ASKED: fay does not know"), "{told}");
    let (to, subject) = asked(&world);
    let nobody = "INC-1 update 1 waits, and nobody could be asked for a look";
    assert_eq!((to.as_str(), subject.as_str()), ("bob", nobody));
    let told = play(&mut world, "4m answer bob mail refused\n5m clock\n6m clock\n7m clock");
    assert_eq!(told.matches("NOT ASKED").count(), 1, "it is said once: {told}");
    let update = world.engine.room.incidents[&warroom::domain::ids::IncidentId(1)]
        .talk
        .update(1)
        .expect("it waits");
    assert_eq!(update.uncalled, ["ann", "fay", "bob"]);
}

#[test]
fn whoever_is_the_only_approver_is_no_second_look_at_their_own_words() {
    let mut plan = plan();
    plan.stakeholders.get_mut("customers").expect("they").approvers = vec!["bob".to_owned()];
    let mut world = World::under(plan);
    play(&mut world, BEGIN);
    let public = draft("public", &["customers"], Some(20), r#","public":"investigating""#);
    let approve = r#"{"do":"talk","incident":1,"talk":{"say":"approve","update":1}}"#;
    let told = play(&mut world, &format!("1m bob {public}\n2m bob {approve}"));
    assert!(told.contains("you wrote update 1 yourself: it is for ann"), "{told}");
    let update = letter(&world).talk.update(1).expect("it waits");
    assert!(update.approvers().is_empty(), "{update:?}");
    let row = warroom::domain::row::Row::of(letter(&world));
    assert!(row.asks("ann") && !row.asks("bob"), "{}", row.approvers);
    let told = play(&mut world, &format!("3m ann {approve}"));
    assert!(!told.contains("refused"), "whoever commands is: {told}");
}
