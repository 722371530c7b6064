//! The stakeholder pane alone on a small screen: nothing of what is known of a line stays hidden.

use warroom::domain::event::Body;
use warroom::domain::plan::Plan;
use warroom::keeper::turn::Input;

use crate::forms::shows;
use crate::screens::{Console, busy};
use crate::world::{START, World, play};

fn console(world: World) -> Console {
    Console::new(world, "ann", (80, 24))
}

#[test]
fn a_long_text_is_read_a_page_at_a_time_and_the_cursor_goes_on_after_it() {
    let mut world = busy();
    let lines: Vec<String> = (1..=40).map(|n| format!("paragraph {n:02} of it")).collect();
    let draft = serde_json::json!({"do": "talk", "incident": 1, "talk": {
        "say": "draft", "audience": "internal", "title": "Payments", "to": ["support"],
        "words": [{"language": "en", "subject": "Payments fail", "text": lines.join("\n")}],
        "next_by": world.now.plus(1_200_000).to_string(),
    }});
    world.act("bob", serde_json::from_value(draft).expect("a command"));
    let mut console = console(world);
    console.keys("4z");
    let mut seen = String::new();
    let rows = crate::forms::incident(&console, 1).told.len();
    for _ in 0..20 {
        seen.push_str(&console.screen());
        if console.screen().contains("paragraph 40") {
            break;
        }
        console.keys("<pagedown>");
    }
    for n in 1..=40 {
        assert!(seen.contains(&format!("paragraph {n:02} ")), "paragraph {n} of {rows}:\n{seen}");
    }
    shows(&console, "the end; page up for what is above");
    let line = console.model.stakeholder;
    console.keys("<pageup><pageup><pageup><pageup><pageup><pageup>");
    shows(&console, "more lines: page down");
    console.keys("<pagedown>");
    assert_eq!(console.model.stakeholder, line, "{}", console.screen());
    console.keys("jk");
    assert_eq!(console.model.detail_top, 0, "another line is read from its beginning");
}

#[test]
fn a_clock_of_the_law_says_from_when_it_runs_on_what_it_rests_and_what_was_handed_in() {
    let mut world = busy();
    let mut plan: Plan = world.engine.room.plan.clone();
    plan.obligations = vec!["nis2".to_owned()];
    world.give(warroom::keeper::turn::Input::Own(warroom::domain::event::Body::PlanAdopted {
        plan: Box::new(plan),
        digest: "with a law".to_owned(),
        note: String::new(),
    }));
    let aware = START.plus(-2 * 3_600_000);
    play(
        &mut world,
        &format!(
            "3m ann {}\n4m ann {}",
            serde_json::json!({"do": "legal", "incident": 1, "legal": {"state": "determine",
                "rule": "nis2", "kind": "aware", "at": aware.to_string(),
                "evidence": "the hosting team saw it"}}),
            serde_json::json!({"do": "legal", "incident": 1, "legal": {"state": "submit",
                "rule": "nis2", "stage": "early-warning", "at": START.plus(200_000).to_string(),
                "reference": "CSIRT-77"}}),
        ),
    );
    let mut console = console(world);
    console.keys("4z");
    shows(&console, "handed in 2026-11-23 13:23Z");
    let of_the_running = |console: &Console| console.screen().contains("becoming aware");
    for _ in 0..9 {
        if of_the_running(&console) {
            break;
        }
        console.keys("j");
    }
    insta::assert_snapshot!("clock_of_the_law_80x24", console.screen());
    shows(&console, "UTC");
    shows(&console, "hosting team saw it");
    shows(&console, "reference 'CSIRT-77'");
}

#[test]
fn an_open_console_sees_at_once_that_the_page_shows_what_was_said_or_does_not() {
    let mut world = busy();
    let mut plan: Plan = world.engine.room.plan.clone();
    let who = plan.stakeholders.get_mut("customers").expect("they");
    who.channels = vec!["status page".to_owned()];
    who.subscribers.clear();
    who.approval = None;
    world.give(warroom::keeper::turn::Input::Own(Body::PlanAdopted {
        plan: Box::new(plan),
        digest: "on the page alone".to_owned(),
        note: String::new(),
    }));
    let mut console = console(world);
    console.keys("4z");
    let page = |console: &mut Console, fault: Option<&str>| {
        let fault = fault.map(str::to_owned);
        console.world.give(Input::Own(Body::StatusPage { fault, shown: None }));
        console.keys("jk");
    };
    page(&mut console, Some("is not carried away: exit code 255"));
    let draft = serde_json::json!({"do": "talk", "incident": 1, "talk": {
        "say": "draft", "audience": "public", "title": "Payments", "to": ["customers"],
        "words": [{"language": "en", "subject": "Payments fail", "text": "One in ten fails."}],
        "next_by": console.world.now.plus(1_200_000).to_string(), "public": "investigating",
    }});
    console.world.act("bob", serde_json::from_value(draft).expect("a command"));
    let approve = serde_json::json!({"do": "talk", "incident": 1,
        "talk": {"say": "approve", "update": 1, "force": "alone"}});
    console.world.act("bob", serde_json::from_value(approve).expect("a command"));
    console.keys("jk");
    shows(&console, "NOT ON THE STATUS PAGE: what was said at 13:22");
    shows(&console, "status page  ◐ 13:22");
    page(&mut console, None);
    shows(&console, "on the status page");
    let screen = console.screen();
    assert!(!screen.contains("NOT YET on") && !screen.contains("NOT ON THE"), "{screen}");
    // What it showed when it failed stays told.
    console.world.now = console.world.now.plus(600_000);
    page(&mut console, Some("is not carried away: exit code 255"));
    let screen = console.screen();
    assert!(!screen.contains("NOT YET on") && !screen.contains("NOT ON THE"), "{screen}");
}
