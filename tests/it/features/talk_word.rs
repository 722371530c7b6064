//! Words that were given: when they may be moved, what a correction says, what is seen of them, and
//! what reports rest on.

use warroom::domain::ids::IncidentId;
use warroom::domain::time::Timestamp;
use warroom::store::Reader;
use warroom::tui::forms::update::as_draft;

use crate::features::talk_kept::{at, begin, draft};
use crate::world::{START, World, play};

#[test]
fn a_word_that_was_given_is_not_moved_in_silence() {
    let mut world = begin();
    let promise = |minutes: i64, why: &str| {
        format!(
            r#"{{"do":"talk","incident":1,"talk":{{"say":"promise","stakeholder":"support","next_by":"{}","text":"{why}"}}}}"#,
            at(minutes)
        )
    };
    // Before the first word the plan's time holds unless there is a reason.
    let told = play(&mut world, &format!("1m ann {}", promise(60, "")));
    assert!(told.contains("by the plan support must hear by 13:25"), "{told}");
    let told = play(&mut world, &format!("1m ann {}", promise(4, "")));
    assert!(told.contains("promised support a word by"), "sooner is always right: {told}");
    // What was told stands, before its time and after it.
    let told = play(
        &mut world,
        &format!(
            "2m bob {}\n3m ann {}\n25m clock\n26m ann {}",
            draft("internal", "support", 20, ""),
            promise(90, "later"),
            promise(90, "later")
        ),
    );
    assert_eq!(told.matches("support wait for a word by 13:40").count(), 2, "{told}");
    assert!(told.contains("support (due 13:40); telling dana"), "{told}");
    // Telling them moves it.
    let told = play(
        &mut world,
        r#"27m ann {"do":"log-contact","incident":1,"stakeholder":"support","channel":"phone","text":"we need an hour","next_by":"2026-11-23T15:00:00Z"}"#,
    );
    assert!(told.contains("told support by phone"), "{told}");
}

#[test]
fn a_correction_says_that_it_is_one_wherever_it_is_read() {
    let mut world = begin();
    let first = draft("internal", "support", 20, "");
    let second = draft("internal", "support", 20, r#","corrects":1"#).replace(
        r#"[{"language":"en","subject":"the subject","text":"the password is x"}]"#,
        r#"[{"language":"en","subject":"pool","text":"at 90 %"},{"language":"de-CH","subject":"Pool","text":"bei 90 %"},{"language":"ja","subject":"x","text":"y"}]"#,
    );
    play(&mut world, &format!("1m bob {first}\n2m bob {second}"));
    let words =
        &world.engine.room.incidents[&IncidentId(1)].talk.update(2).expect("it").draft.words;
    let said = |n: usize| (words[n].subject.as_str(), words[n].text.as_str());
    assert_eq!(
        said(0),
        (
            "Correction: pool",
            "This corrects what we said at 13:21 UTC.\n\nat 90 %\n\nNext update by 2026-11-23 13:40 UTC."
        )
    );
    assert_eq!(
        said(1),
        (
            "Korrektur: Pool",
            "Dies berichtigt unsere Mitteilung von 13:21 UTC.\n\nbei 90 %\n\nNächste Nachricht bis 2026-11-23 13:40 UTC."
        )
    );
    assert_eq!(said(2).0, "Correction: x", "where we cannot say it in theirs, in English");
    // Taken back and written anew, it corrects the same.
    let incident = &world.engine.room.incidents[&IncidentId(1)];
    let kept = as_draft(incident, &incident.talk.update(2).expect("it").draft);
    assert!(kept.contains(r#""corrects":"1 the subject""#), "{kept}");
}

#[test]
fn what_is_due_by_the_plan_or_by_law_is_in_the_line_of_the_queue() {
    use warroom::domain::row::Row;
    let mut world = begin();
    let row = |world: &World| {
        let room = &world.engine.room;
        Row::with_dues(&room.incidents[&IncidentId(1)], &room.plan, world.now)
    };
    let minutes = |due: Option<Timestamp>| due.map(|due| due.since(START) / 60_000);
    assert_eq!(minutes(row(&world).promise), Some(5), "the first word to somebody");
    let next = at(600);
    let tell = format!(
        r#"1m ann {{"do":"log-contact","incident":1,"stakeholder":"support","channel":"phone","text":"t","next_by":"{next}"}}"#
    );
    let public = crate::features::talk::draft(
        "public",
        &["customers"],
        Some(600),
        r#","public":"investigating""#,
    );
    let approve = r#"{"do":"talk","incident":1,"talk":{"say":"approve","update":1}}"#;
    play(&mut world, &format!("{tell}\n1m bob {public}"));
    let asks = |world: &World, login: &str| row(world).asks(login);
    assert!(asks(&world, "ann") && !asks(&world, "bob"), "it waits for whoever commands");
    play(&mut world, &format!("1m ann {approve}"));
    assert!(!asks(&world, "ann"));
    assert_eq!(minutes(row(&world).promise), Some(600));
    let late = at(-80 * 60);
    let aware = format!(
        r#"{{"do":"legal","incident":1,"legal":{{"rule":"gdpr-controller","state":"determine","kind":"aware","at":"{late}","evidence":"seen"}}}}"#
    );
    play(&mut world, &format!("4m ann {aware}"));
    assert!(row(&world).promise.is_some_and(|due| due < world.now), "its 72 hours are over");
}

#[test]
fn every_line_of_a_report_rests_on_entries() {
    use warroom::domain::brief::{Case, Kind, brief};
    let mut world = begin();
    let late = at(-80 * 60);
    let script = format!(
        r#"1m alerts Slow/a/critical
           1m bob {{"do":"note","incident":1,"kind":"statement","text":"customers cannot pay"}}
           1m bob {{"do":"note","incident":1,"kind":"rumour","text":"it was hacked"}}
           2m bob {{"do":"log-contact","incident":1,"stakeholder":"support","channel":"phone","text":"t"}}
           3m bob {}
           4m ann {{"do":"legal","incident":1,"legal":{{"rule":"gdpr-controller","state":"determine","kind":"aware","at":"{late}","evidence":"seen"}}}}
           5m ann {{"do":"talk","incident":1,"talk":{{"say":"inquire","outlet":"The Paper","person":"p","question":"why?"}}}}"#,
        draft("internal", "support", 30, ""),
    );
    play(&mut world, &script);
    let mut events = Vec::new();
    world
        .journal
        .scan(0, &mut |raw| {
            events.push(raw.decode().expect("a readable event"));
            true
        })
        .expect("a readable journal");
    let incident = &world.engine.room.incidents[&IncidentId(1)];
    events.retain(|event| event.body.incidents().contains(&IncidentId(1)));
    let case = Case { incident, events: &events, plan: &world.engine.room.plan, now: world.now };
    for kind in [Kind::Can, Kind::Exec, Kind::Handover] {
        for line in brief(kind, case) {
            let is_nothing =
                line.text.contains("is on record") || line.text.contains("told nothing");
            let rests = !line.text.starts_with("- ") || is_nothing || !line.entries.is_empty();
            assert!(rests, "{kind:?}: {}", line.text);
        }
    }
    let told = |kind| brief(kind, case).iter().map(|l| l.text.clone() + "\n").collect::<String>();
    let (exec, can) = (told(Kind::Exec), told(Kind::Can));
    for words in ["customers cannot pay", "next: a word to", "MISSED, was due", "bob commands"] {
        assert!(exec.contains(words), "'{words}' is missing:\n{exec}");
    }
    assert!(can.contains("RUMOUR, not confirmed: it was hacked"), "{can}");
    assert!(!can.contains("  says") && !can.contains(".000Z)"), "{can}");
    // A time that an update gave rests on that update.
    let update = incident.talk.updates.last().expect("it").entry;
    let line = brief(Kind::Can, case).into_iter().find(|l| l.text.contains("support needs"));
    assert_eq!(line.map(|line| line.entries), Some(vec![update]));
}

#[test]
fn an_update_that_was_cut_off_by_a_kill_is_finished() {
    use warroom::domain::talk::change::TalkChange;
    use warroom::domain::{change::Change, event::Body};
    let mut plan = crate::features::talk_kept::plan();
    let who = plan.stakeholders.get_mut("support").expect("support");
    who.channels.clear();
    who.subscribers = (0..5_000).map(|n| format!("mail:s{n}@example.org")).collect();
    let mut world = World::under(plan);
    play(&mut world, crate::features::talk_kept::BEGIN);
    play(&mut world, &format!("1m bob {}", draft("internal", "support", 20, "")));
    // The journal as it is after a kill between the events of the update.
    let mut kept = Vec::new();
    world
        .journal
        .scan(0, &mut |raw| {
            let event = raw.decode().expect("a readable event");
            let is_more = matches!(&event.body, Body::Incident { change: Change::Talk(talk), .. }
                if matches!(**talk, TalkChange::LettersAdded { .. }));
            if is_more {
                return false;
            }
            kept.push(event);
            true
        })
        .expect("a readable journal");
    let journal = warroom::store::memory::MemoryJournal::default();
    let batch = warroom::store::batch::Batch::build(warroom::store::batch::Head::default(), &kept);
    warroom::store::Journal::append(&mut journal.clone(), &batch).expect("it takes them");
    world.journal = journal;
    world.restart();
    let letters = |world: &World| {
        let talk = &world.engine.room.incidents[&IncidentId(1)].talk;
        let to: std::collections::BTreeSet<_> = talk
            .letters
            .values()
            .map(|letter| letter.delivery.wanted.methods[0].name.clone())
            .collect();
        (talk.letters.len(), to.len(), talk.updates[0].more)
    };
    assert_eq!(letters(&world), (2_000, 2_000, 3_000), "the rest is missing");
    world.tick();
    let open = letters(&world);
    assert_eq!((open.0, open.2), (5_000, 0), "and comes with the next start");
    assert_eq!(open.1, 5_000, "each once");
}

#[test]
fn clocks_that_stop_by_a_change_of_the_plan_are_told_whatever_the_change_is() {
    let own = |text: &str| toml::from_str::<warroom::domain::obligation::Rule>(text);
    let shipped: Vec<_> = warroom::domain::obligation::shipped().expect("the shipped rules");
    let gdpr = shipped.iter().find(|rule| rule.id == "gdpr-controller").expect("it ships").clone();
    assert!(own("").is_err());
    let late = at(60);
    let aware = format!(
        r#"{{"do":"legal","incident":1,"legal":{{"rule":"gdpr-controller","state":"determine","kind":"aware","at":"{}","evidence":"seen"}}}}"#,
        at(2)
    );
    let mut off = gdpr.clone();
    off.enabled = false;
    let mut renamed = gdpr.clone();
    renamed.stages.iter_mut().for_each(|stage| stage.id += "-new");
    for (what, rule) in [("switched off", off), ("renamed", renamed)] {
        let mut world = begin();
        world.now = late;
        play(&mut world, &format!("60m ann {aware}"));
        let mut plan = world.engine.room.plan.clone();
        plan.own_obligations = vec![rule];
        let (digest, note) = (what.to_owned(), String::new());
        let body = warroom::domain::event::Body::PlanAdopted { plan: Box::new(plan), digest, note };
        let (events, _) = world.give(warroom::keeper::turn::Input::Own(body));
        let told = events.iter().any(|event| format!("{:?}", event.body).contains("RuleGone"));
        assert!(told, "{what}: {events:?}");
    }
}

#[test]
fn the_same_words_about_several_incidents_are_one_message_to_each_reader() {
    let mut world = begin();
    play(
        &mut world,
        r#"0m ann {"do":"open","title":"the queue is stuck","severity":"SEV2","services":["payments"]}"#,
    );
    let together = draft("internal", "support", 30, r#","together":true"#);
    let second = together.replace(r#""incident":1"#, r#""incident":2"#);
    let words = |world: &World| -> Vec<usize> {
        let is_update = |job: &&warroom::keeper::turn::Job| job.update.is_some();
        world.jobs.iter().filter(is_update).map(|job| job.items.len()).collect()
    };
    play(&mut world, &format!("2m ann {together}\n2m ann {second}"));
    world.tick();
    assert_eq!(words(&world), Vec::<usize>::new(), "the words about the other may still come");
    world.now = world.now.plus(2_000);
    world.tick();
    assert_eq!(words(&world), [2]);
    // What fails is tried again in one message too.
    let told = play(&mut world, "3m answer stakeholder:support mail failed");
    assert!(told.contains("(with 1 other)"), "{told}");
    for minute in 4..20 {
        play(&mut world, &format!("{minute}m clock"));
    }
    assert_eq!(words(&world), [2, 2], "{:?}", "tried again");
    play(&mut world, "20m answer stakeholder:support mail accepted");
    for id in [1, 2] {
        let incident = &world.engine.room.incidents[&IncidentId(id)];
        assert_eq!(incident.talk.proofs["support"].words(false), "accepted", "INC-{id}");
    }
    // Other words are another message, and one that is for one incident alone does not wait.
    let alone = draft("internal", "support", 60, "");
    play(&mut world, &format!("21m ann {alone}\n21m clock"));
    assert_eq!(words(&world), [2, 2, 1]);
}

#[test]
fn a_promise_to_somebody_who_was_told_nothing_is_no_proof_after_a_merge() {
    let mut world = begin();
    let promise = format!(
        r#"{{"do":"talk","incident":1,"talk":{{"say":"promise","stakeholder":"customers","next_by":"{}","text":"call back"}}}}"#,
        at(20)
    );
    play(
        &mut world,
        &format!(
            "1m ann {promise}\n\
             1m ann {{\"do\":\"open\",\"title\":\"b\",\"severity\":\"SEV2\",\"services\":[\"payments\"]}}\n\
             2m ann {{\"do\":\"merge\",\"incident\":1,\"into\":2}}"
        ),
    );
    let told = |world: &World| world.engine.room.incidents[&IncidentId(2)].told.clone();
    let board = &told(&world)["customers"];
    assert_eq!(board.count, 0, "{board:?}");
    assert_eq!(board.next_by, Some(START.plus(20 * 60_000)));
    play(&mut world, r#"3m ann {"do":"unmerge","incident":1}"#);
    assert!(!told(&world).contains_key("customers"));
}
