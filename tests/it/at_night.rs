//! What was cursed at in trials: cursors that leave the screen, questions that hide what is asked,
//! pages that fade, keys that hit another incident.

use warroom::domain::ids::IncidentId;
use warroom::domain::plan::Plan;
use warroom::domain::post::Signal;
use warroom::domain::stakeholder::{Audience, Stakeholder};
use warroom::domain::talk::Standing;
use warroom::domain::words::{Approval, PublicStatus};
use warroom::tui::update::Msg;

use crate::forms::{console, incident, shows};
use crate::screens::{Console, busy};
use crate::world::{World, alert, play};

pub fn note(world: &mut World, text: &str) {
    let command = serde_json::json!({"do": "note", "incident": 1, "kind": "note", "text": text});
    world.act("bob", serde_json::from_value(command).expect("a command"));
}

#[test]
fn the_selected_entry_is_seen_wherever_the_cursor_is_and_a_tall_one_is_read_whole() {
    for (size, zoom) in [((80, 24), ""), ((80, 24), "z"), ((120, 40), ""), ((40, 12), "z")] {
        let mut world = busy();
        for n in 0..25 {
            note(&mut world, &vec![format!("short {n}"); n % 7 + 1].join("\n"));
        }
        let tall: Vec<String> = (1..=60).map(|n| format!("log line {n:02} of it")).collect();
        note(&mut world, &tall.join("\n"));
        note(&mut world, "the newest");
        let mut console = Console::new(world, "ann", size);
        console.keys("2");
        console.keys(zoom);
        console.keys("G");
        let mut seen = String::new();
        let up = |console: &mut Console, key: &str, seen: &mut String| {
            for _ in 0..90 {
                let screen = console.screen();
                let is_tall = screen.contains("log line");
                assert!(screen.contains('▶') || is_tall, "{size:?} {zoom}:\n{screen}");
                seen.push_str(&screen);
                console.keys(key);
            }
        };
        up(&mut console, "k", &mut seen);
        for n in 1..=60 {
            assert!(seen.contains(&format!("log line {n:02} ")), "{size:?} {zoom}: line {n}");
        }
        let mut back = String::new();
        up(&mut console, "j", &mut back);
        for n in [1, 30, 60] {
            assert!(back.contains(&format!("log line {n:02} ")), "{size:?} {zoom}: {n} downwards");
        }
        assert!(console.screen().contains("the newest"), "{}", console.screen());
    }
}

/// Bob wrote a long public update that ann is to approve.
pub fn long_update() -> Console {
    long_update_of("bob")
}

fn long_update_of(author: &str) -> Console {
    let mut world = busy();
    let mut plan: Plan = world.engine.room.plan.clone();
    let who = Stakeholder {
        audience: Audience::Public,
        channels: vec!["status page".to_owned()],
        approval: Some(Approval::Other),
        ..plan.stakeholders["customers"].clone()
    };
    plan.stakeholders.insert("customers".to_owned(), who);
    let body = warroom::domain::event::Body::PlanAdopted {
        plan: Box::new(plan),
        digest: "with approval".to_owned(),
        note: String::new(),
    };
    world.give(warroom::keeper::turn::Input::Own(body));
    let lines: Vec<String> = (1..=40).map(|n| format!("paragraph {n:02} of it")).collect();
    let draft = serde_json::json!({"do": "talk", "incident": 1, "talk": {
        "say": "draft", "audience": "public", "title": "Payments", "to": ["customers"],
        "words": [{"language": "en", "subject": "Payments fail", "text": lines.join("\n")}],
        "next_by": world.now.plus(1_200_000).to_string(), "public": "investigating",
    }});
    world.act(author, serde_json::from_value(draft).expect("a command"));
    Console::new(world, "ann", (80, 24))
}

#[test]
fn words_that_their_author_takes_back_are_a_draft_to_be_written_anew() {
    let mut console = long_update_of("ann");
    console.keys("ux<c-s>");
    let update = &incident(&console, 1).talk.updates[0];
    assert!(matches!(update.standing, Standing::Withdrawn { .. }), "{update:?}");
    console.keys("Pj");
    shows(&console, "write-update INC-1 (update 1, taken back): paragraph 01 of it");
    console.keys("<enter>");
    shows(&console, "Payments fail");
    console.keys("<c-s>y");
    let again = &incident(&console, 1).talk.updates[1].draft;
    assert_eq!(again.words[0].subject, "Payments fail");
    assert!(again.words[0].text.contains("paragraph 40 of it"), "{again:?}");
    assert_eq!(again.public, Some(PublicStatus::Investigating));
    // Nobody else's words become one's own.
    let mut console = long_update();
    console.keys("ux<c-s>P");
    assert!(!console.screen().contains("taken back): "), "{}", console.screen());
}

#[test]
fn nothing_of_what_is_approved_is_hidden() {
    let mut console = long_update();
    console.keys("ua<c-s>");
    shows(&console, "send update 1 to customers? It cannot be taken back.");
    shows(&console, "INC-1 is SEV1 triage now");
    shows(&console, "y yes · n no");
    shows(&console, "more lines: j, ctrl-d or G");
    let mut seen = console.screen();
    for _ in 0..60 {
        console.keys("j");
        seen.push_str(&console.screen());
    }
    for n in 1..=40 {
        assert!(seen.contains(&format!("paragraph {n:02} ")), "paragraph {n}");
    }
    shows(&console, "that is all");
    console.keys("y");
    let update = &incident(&console, 1).talk.updates[0];
    assert!(matches!(update.standing, Standing::Sent { .. }), "{update:?}");
}

#[test]
fn what_was_written_before_the_end_does_not_open_the_page_again() {
    let mut console = long_update();
    play(
        &mut console.world,
        r#"9m bob {"do":"resolve","incident":1,"reason":"fixed","evidence":"quiet","force":"known"}"#,
    );
    assert!(!incident(&console, 1).phase().is_active());
    console.rest();
    console.keys("ua<c-s>");
    shows(&console, "INC-1 is SEV1 resolved now");
    console.keys("y");
    shows(&console, "more lines");
    console.keys("G");
    shows(&console, "that is all");
    console.keys("y");
    shows(&console, "the public would read 'investigating'");
    assert_eq!(incident(&console, 1).public, PublicStatus::Unpublished);
}

#[test]
fn somebody_called_to_help_or_offered_it_is_reminded_until_they_answer() {
    let mut console = console();
    console.rest();
    assert!(!console.screen().contains("PAGED"), "{}", console.screen());
    play(
        &mut console.world,
        r#"9m bob {"do":"page","incident":1,"people":["ann"],"reason":"need your eyes"}
           9m clock"#,
    );
    console.tell(Msg::Tick);
    shows(&console, "YOU ARE PAGED");
    console.rest();
    console.rest();
    shows(&console, "PAGED ×1");
    console.keys("j");
    console.rest();
    console.keys("gp");
    assert_eq!(console.model.selected_id, Some(IncidentId(1)));
    console.rest();
    shows(&console, "a acknowledge");
    console.keys("a");
    console.rest();
    assert!(!console.screen().contains("PAGED"), "{}", console.screen());
    assert_eq!(incident(&console, 1).ack.as_ref().map(|ack| ack.by.as_str()), Some("bob"));
    play(
        &mut console.world,
        r#"12m bob {"do":"offer-handover","incident":1,"to":"ann","note":"my shift ends"}
           12m clock"#,
    );
    console.tell(Msg::Tick);
    console.rest();
    shows(&console, "PAGED ×1");
    shows(&console, "accept hand over");
    // Somebody who comes back to a console is told again.
    let mut again = Console::new(console.world, "ann", (80, 24));
    shows(&again, "PAGED ×1");
    again.keys("gpea");
    again.rest();
    assert!(!again.screen().contains("PAGED"), "{}", again.screen());
    assert_eq!(incident(&again, 1).ack.as_ref().map(|ack| ack.by.as_str()), Some("ann"));
}

#[test]
fn keys_that_are_quicker_than_the_incident_wait_for_it() {
    let mut console = console();
    console.keys("j");
    console.rest();
    // INC-1 is bob's: the question comes however quickly the keys come.
    console.keys("ka");
    shows(&console, "bob has INC-1 since 13:20; take it from them?");
    console.keys("n");
    console.keys("jk");
    console.keys("ntwo words<c-s>");
    let last = console.model.mirror.watched.as_ref().expect("it is here").events.last().cloned();
    assert!(format!("{last:?}").contains("two words"), "{last:?}");
}

#[test]
fn an_internal_word_is_written_and_goes_to_many_and_a_draft_for_one_is_not_for_many() {
    let mut console = console();
    console.keys("mm");
    console.keys("n");
    assert!(!console.screen().contains("half a thought"), "{}", console.screen());
    console.keys("<esc>");
    console.keys("uwi<tab>support<tab>all of them<tab>we look at it<c-s>");
    shows(&console, "about 2 incidents");
    console.keys("y");
    shows(&console, "2 of 2 done");
    for id in [1, 2] {
        assert_eq!(incident(&console, id).talk.updates.len(), 1, "INC-{id}");
    }
}

#[test]
fn what_a_contact_proposes_follows_whom_it_is_with() {
    let mut console = console();
    console.keys("4");
    console.keys("ul");
    let field = |console: &Console, name: &str| match console.model.modals.last() {
        Some(warroom::tui::model::Modal::Form(form)) => form.value(name),
        other => panic!("a form, not {other:?}"),
    };
    let (who, channel, next) =
        (field(&console, "stakeholder"), field(&console, "channel"), field(&console, "next"));
    console.keys("exec");
    assert_eq!((who.as_str(), field(&console, "stakeholder").as_str()), ("support", "executives"));
    assert_ne!((channel, next), (field(&console, "channel"), field(&console, "next")));
    console.keys("<tab>by hand<s-tab>cust");
    assert_eq!(field(&console, "channel"), "by hand", "what was written stays");
}

#[test]
fn the_cursor_stays_on_its_stakeholder_though_the_order_changes() {
    let mut console = console();
    console.keys("4");
    let under =
        |console: &Console| warroom::tui::view::stakeholders::at(&console.model).expect("one").1;
    while under(&console) != "executives" {
        console.keys("j");
    }
    let next = console.world.now.plus(30_000);
    play(
        &mut console.world,
        &format!(
            r#"9m bob {{"do":"talk","incident":1,"talk":{{"say":"promise","stakeholder":"partners","next_by":"{}"}}}}"#,
            next.plus(900_000)
        ),
    );
    console.tell(Msg::Tick);
    console.rest();
    assert_eq!(under(&console), "executives");
}

#[test]
fn an_escalation_that_reaches_nobody_says_so() {
    let mut console = console();
    console.keys("ee");
    console.keys("exec<tab>they must know<c-s>");
    shows(&console, "reached NOBODY");
}

#[test]
fn a_word_that_is_late_is_seen_from_every_incident() {
    let mut console = console();
    console.keys("jj");
    let by = incident(&console, 1).told["support"].next_by.expect("a promise");
    console.world.now = by.plus(-4 * 60_000 - 30_000);
    console.tell(Msg::Tick);
    shows(&console, "INC-1 due in 5m");
    console.world.now = console.world.now.plus(3_600_000);
    console.rest();
    shows(&console, "INC-1 LATE");
    let mut world = busy();
    world.post("am", Some("net"), vec![alert("NoRoute", "db-1", "critical", Signal::Firing)]);
    world.tick();
    let mut console = Console::new(world, "ann", (80, 24));
    console.keys("mm");
    let first = console.screen().lines().next().unwrap_or_default().to_owned();
    assert!(first.contains("PAGED ×1 (g p)") && first.contains("2 marked"), "{first}");
}

#[test]
fn a_link_that_comes_back_leaves_the_cursor_where_it_was() {
    let mut world = World::new();
    for n in 0..400 {
        let open = format!(r#"{{"do":"open","title":"incident {n}","severity":"SEV3"}}"#);
        world.act("bob", serde_json::from_str(&open).expect("a command"));
    }
    let mut console = Console::new(world, "ann", (80, 24));
    console.rest();
    console.keys("G");
    console.keys("kkkkk");
    console.rest();
    console.keys("m");
    let marked = console.model.marks.len();
    console.keys("kk");
    for gone in [false, true] {
        let selected = console.model.selected_id.expect("one is selected");
        console.tell(Msg::Lost("the connection broke".to_owned()));
        if gone {
            // It left while nobody told: then the cursor is elsewhere, and says so.
            let id = selected.0;
            let decline = format!(
                r#"{{"do":"decline","incident":{id},"reason":"false-alarm","note":"a test"}}"#
            );
            console.world.act("bob", serde_json::from_str(&decline).expect("a command"));
        }
        console.read_all();
        console.welcome("ann");
        let same = console.model.selected_id == Some(selected);
        assert_eq!(same, !gone, "{:?}", console.model.selected_id);
        assert_eq!(console.model.marks.len(), marked, "marks stay");
        assert_eq!(console.model.mirror.len(), if gone { 399 } else { 400 });
    }
    shows(&console, "left the list; the cursor is on");
}

#[test]
fn the_bell_is_for_who_is_paged() {
    let page = || vec![alert("DiskFull", "db-1", "critical", Signal::Firing)];
    for (login, rings) in [("ann", true), ("bob", false)] {
        let mut console = Console::new(busy(), login, (120, 40));
        console.world.post("am", Some("disk"), page());
        console.world.tick();
        console.tell(Msg::Tick);
        assert_eq!(console.model.bell, rings, "{login}");
        let expected = if rings { "PAGED: SEV2 INC-4 (g p goes" } else { "new SEV2 INC-4 Disk" };
        assert!(console.screen().contains(expected), "{}", console.screen());
    }
    // Where the plan pages nobody, everybody hears it.
    let mut console = Console::new(busy(), "bob", (80, 24));
    console.model.mirror.plan.policies.clear();
    console.world.post("am", Some("disk"), page());
    console.tell(Msg::Tick);
    assert!(console.model.bell);
}

#[test]
fn words_typed_on_a_choice_choose_nothing_and_a_refusal_goes_to_what_is_missing() {
    let mut console = console();
    console.keys("r<c-s>");
    shows(&console, "the remedy is empty");
    console.keys("pool 50 to 200<tab>4h<c-s>");
    let remedies = &incident(&console, 1).remedies;
    assert!(
        remedies.last().is_some_and(|remedy| remedy.text == "pool 50 to 200"),
        "{}",
        console.screen()
    );
    // The same without a refusal before it: the choice stays what it was, and that is said.
    console.keys("rpool 50->200");
    shows(&console, "'pool 50->200' is none of these: ← → choose, tab goes on");
    shows(&console, "[workaround]");
    console.keys("<tab>more of them<tab>4h<c-s>");
    assert!(
        incident(&console, 1).remedies.last().is_some_and(|r| r.text == "more of them"),
        "{}",
        console.screen()
    );
    console.keys("S4<c-s>");
    shows(&console, "needs a reason");
    console.keys("one shop only<c-s>");
    assert_eq!(incident(&console, 1).severity.number(), 4, "{}", console.screen());
}

#[test]
fn a_keeper_that_owes_an_answer_is_seen_to_be_silent() {
    let mut console = console();
    console.tell(Msg::Tick);
    assert!(!console.screen().contains("SILENT"));
    let now = console.world.now;
    // The request goes out, and nothing comes back.
    let effects = warroom::tui::update::update(
        &mut console.model,
        Msg::Key(crate::screens::event("t".parse().expect("a key"))),
        now,
        &mut crate::screens::Count(900),
    );
    assert!(!effects.is_empty(), "it asks for the draft");
    let later = now.plus(5_000);
    assert!(warroom::tui::update::next_due(&console.model).is_some_and(|due| due <= later));
    warroom::tui::update::update(
        &mut console.model,
        Msg::Tick,
        later,
        &mut crate::screens::Count(901),
    );
    shows(&console, "KEEPER SILENT for 5s");
}

#[test]
fn mistakes_in_the_settings_are_shown_and_keep_nobody_out() {
    let mut console = console();
    console.model.show_mistakes(vec!["theme.toml:3: no colour 'redd'".to_owned()]);
    shows(&console, "what ships is used instead");
    shows(&console, "theme.toml:3: no colour 'redd'");
    console.keys("q");
    assert!(console.model.modals.is_empty());
}

#[test]
fn a_merge_is_taken_back_from_where_it_was_made() {
    let mut console = console();
    console.keys("jw1<c-s>");
    shows(&console, "it is part of INC-1 now");
    assert_eq!(console.model.selected_id, Some(IncidentId(1)));
    console.rest();
    console.keys("W");
    shows(&console, "let INC-2 be an incident of its own again?");
    console.keys("y");
    assert!(
        console.world.engine.room.incidents.contains_key(&IncidentId(2)),
        "{}",
        console.screen()
    );
    console.rest();
    console.keys("Wy");
    shows(&console, "INC-1 is not merged");
}

#[test]
fn alerts_of_one_name_are_told_apart_on_a_narrow_screen() {
    let mut world = World::new();
    let alerts = ["a", "b"].map(|mode| {
        let mut alert = alert("LoadAverage", "localhost:9102", "warning", Signal::Firing);
        alert.fingerprint = mode.to_owned();
        for label in ["aaa", "datacentre", "environment", "job"] {
            alert.facts.labels.insert(label.to_owned(), "the same for both of them".to_owned());
        }
        alert.facts.labels.insert("mode".to_owned(), format!("mode-{mode}"));
        alert
    });
    world.post("am", Some("g"), alerts.to_vec());
    let mut console = Console::new(world, "ann", (80, 24));
    console.keys("Al");
    shows(&console, "mode=\"mode-a\"");
    shows(&console, "mode=\"mode-b\"");
}

#[test]
fn a_template_makes_the_words_about_several_and_one_reading_sends_them_all() {
    let mut console = console();
    console.keys("mm");
    console.keys("kkuu");
    shows(&console, "INC-1, INC-2");
    console.keys("internal<c-s>");
    shows(&console, "what all of them together are called");
    console.keys("Payments are slow<c-s>");
    shows(&console, "[INC-1, INC-2 ");
    console.keys("<c-s>");
    shows(&console, "about 2 incidents");
    console.keys("y");
    shows(&console, "2 of 2 done");
    for id in [1, 2] {
        let sent = &incident(&console, id).talk.updates[0].draft;
        assert!(sent.words[0].text.contains("Payments are slow"), "INC-{id}: {sent:?}");
    }
}

#[test]
fn words_for_several_that_were_left_half_written_open_again_and_stand_beside_newer_ones() {
    let mut console = console();
    console.keys("mm");
    console.keys("kkuuinternal<c-s>Payments are slow<c-s><esc>");
    // Written again, for the same ones: what was left is kept beside it.
    console.keys("uuinternal<c-s>Something else<c-s><esc>P");
    shows(&console, "write-update INC-1 and 1 more: ");
    console.keys("j<enter>");
    shows(&console, "[INC-1, INC-2 ");
    console.keys("<c-s>");
    shows(&console, "about 2 incidents");
    console.keys("y");
    shows(&console, "2 of 2 done");
    console.keys("Pj<enter>");
    console.keys("<c-s>y");
    for id in [1, 2] {
        let sent = &incident(&console, id).talk.updates;
        let mut said: Vec<bool> =
            sent.iter().map(|it| it.draft.words[0].text.contains("Payments are slow")).collect();
        said.sort_unstable();
        assert_eq!(said, [false, true], "INC-{id}: {sent:?}");
    }
}
