//! What is half-written is lost by nothing: not by the cursor on another incident, not by a merge, not by a
//! second console of the same person.

use warroom::domain::ids::IncidentId;
use warroom::proto::Present;

use crate::forms::{console, incident, shows};
use crate::screens::Console;

const WORDS: &str = r#"{"audience":"internal","to":"support","title":"Checkout","subject":"it is slow","text":"precious words","next":"20m"}"#;

fn left(console: &mut Console, key: &str) {
    console.drafts = [(key.to_owned(), WORDS.to_owned())].into();
}

/// Somebody else tells the same readers something by phone, which the console has not heard of.
fn bob_tells(console: &mut Console, incident: u32, text: &str) {
    let tell = serde_json::json!({"do": "log-contact", "incident": incident,
        "stakeholder": "support", "channel": "phone", "text": text, "next_by": null});
    console.world.act("bob", serde_json::from_value(tell).expect("a command"));
}

#[test]
fn words_are_taken_up_beside_what_they_are_about() {
    let mut console = console();
    left(&mut console, "write-update INC-1");
    console.keys("j");
    assert_ne!(console.model.selected_id, Some(IncidentId(1)), "the cursor is elsewhere");
    console.keys("P<enter>");
    assert_eq!(console.model.selected_id, Some(IncidentId(1)), "{}", console.screen());
    shows(&console, "precious words");
    console.keys("<tab>, and more<esc>");
    let kept = &console.drafts["write-update INC-1"];
    assert!(kept.contains("precious words") && kept.contains("support, and more"), "{kept}");
}

#[test]
fn a_draft_of_several_is_taken_up_as_one_of_several() {
    let mut console = console();
    let words = WORDS.replace(
        r#""audience""#,
        r#""about incidents":["INC-1","INC-2"],"components":"api=major","audience""#,
    );
    console.drafts = [("write-update INC-1".to_owned(), words)].into();
    console.keys("jP<enter>");
    shows(&console, "INC-1, INC-2");
    console.keys("<tab>!<esc>");
    let kept = &console.drafts["write-update INC-1"];
    for part in ["precious words", "INC-2", "api=major", "Checkout"] {
        assert!(kept.contains(part), "'{part}', also where no field shows it: {kept}");
    }
}

#[test]
fn words_about_what_was_merged_go_where_it_went() {
    let mut console = console();
    left(&mut console, "write-update INC-1");
    let merge = serde_json::json!({"do": "merge", "incident": 1, "into": 2});
    console.world.act("bob", serde_json::from_value(merge).expect("a command"));
    console.welcome("ann");
    console.rest();
    console.keys("P<enter>");
    assert_eq!(console.model.selected_id, Some(IncidentId(2)), "{}", console.screen());
    shows(&console, "precious words");
    shows(&console, "INC-1 was merged into INC-2: these words go there now");
    console.keys("<tab>!<esc>");
    assert!(console.drafts["write-update INC-1"].contains("support!"), "{:?}", console.drafts);
}

#[test]
fn one_draft_at_two_consoles_is_two() {
    let mut console = console();
    left(&mut console, "write-update INC-1");
    console.model.client = 7;
    console.model.mirror.people = vec![Present {
        login: "ann".to_owned(),
        client: 8,
        incident: Some(IncidentId(1)),
        writing: true,
    }];
    console.keys("P<enter>");
    shows(&console, "drafts are kept apart");
    console.keys("<tab>, too<esc>");
    assert_eq!(console.drafts["write-update INC-1"], WORDS, "the other console's words stay");
    assert!(console.drafts["write-update INC-1~"].contains("support, too"), "{:?}", console.drafts);
}

#[test]
fn words_are_not_sent_over_what_their_writer_has_not_seen() {
    let mut console = console();
    left(&mut console, "write-update INC-1");
    let act = |console: &mut Console, command: serde_json::Value| {
        console.world.act("bob", serde_json::from_value(command).expect("a command"));
        console.keys("<down><up>");
    };
    console.keys("P<enter>");
    shows(&console, "precious words");
    act(
        &mut console,
        serde_json::json!({"do": "log-contact", "incident": 1, "stakeholder": "support",
            "channel": "phone", "text": "the database is back", "next_by": null}),
    );
    console.keys("<c-s>y");
    shows(&console, "bob told support at 13:22: the database is back");
    let updates = |console: &Console| incident(console, 1).talk.updates.len();
    assert_eq!(updates(&console), 0, "not before somebody has seen that");
    // They read it, and send theirs all the same.
    act(
        &mut console,
        serde_json::json!({"do": "resolve", "incident": 1, "reason": "fixed", "evidence": "quiet",
            "force": "stale"}),
    );
    console.keys("<c-s>y");
    shows(&console, "bob resolved INC-1 at");
    assert_eq!(updates(&console), 0, "nor over the end");
    console.keys("<c-s>y");
    assert_eq!(updates(&console), 1, "{}", console.screen());
}

#[test]
fn a_draft_that_was_left_remembers_what_its_writer_had_seen() {
    let mut console = console();
    console.drafts.clear();
    console.keys("uw<tab>support<tab>Checkout<tab>it is slow<tab>as we know it<esc>");
    bob_tells(&mut console, 1, "it is over");
    console.keys("P");
    shows(&console, "as we know it");
    console.keys("<enter>");
    console.keys("<c-s>y");
    shows(&console, "bob told support at 13:22: it is over");
}

#[test]
fn words_about_what_is_marked_are_written_beside_it() {
    let mut console = console();
    // The mark moves the cursor on, as a list of several wants it.
    console.keys("m");
    assert_eq!(console.model.selected_id, Some(IncidentId(2)));
    console.rest();
    console.keys("uu");
    assert_eq!(console.model.selected_id, Some(IncidentId(1)), "{}", console.screen());
    shows(&console, "Update (1 of 2: what is known) on INC-1");
}

#[test]
fn a_slip_in_the_form_does_not_count_as_having_seen_what_others_said() {
    let mut console = console();
    left(&mut console, "write-update INC-1");
    console.keys("P<enter><tab><c-u>nobody we know<c-s>y");
    shows(&console, "the plan knows no stakeholder");
    bob_tells(&mut console, 1, "NEW: it is the pool");
    console.keys("<c-s>y");
    shows(&console, "the plan knows no stakeholder");
    console.keys("<c-u>support<c-s>y");
    shows(&console, "bob told support at 13:22: NEW: it is the pool");
}

#[test]
fn one_draft_that_is_sent_at_two_consoles_goes_once() {
    let mut console = console();
    left(&mut console, "write-update INC-1");
    console.keys("P<enter>");
    let words = serde_json::json!({"do": "talk", "incident": 1, "talk": {"say": "draft",
        "audience": "internal", "title": "Checkout", "to": ["support"],
        "words": [{"language": "en", "subject": "it is slow", "text": "precious words"}],
        "next_by": console.world.now.plus(1_200_000).to_string()}});
    console.world.act("ann", serde_json::from_value(words).expect("a command"));
    console.keys("<c-s>y");
    shows(&console, "ann wrote the same words to them at 13:22, update 1");
}

#[test]
fn a_draft_of_several_leaves_out_what_became_part_of_another() {
    let mut console = console();
    let words = WORDS.replace(r#""audience""#, r#""about incidents":["INC-2","INC-1"],"audience""#);
    console.drafts = [("write-update INC-2+1.0123abcd".to_owned(), words)].into();
    let merge = serde_json::json!({"do": "merge", "incident": 1, "into": 2});
    console.world.act("bob", serde_json::from_value(merge).expect("a command"));
    console.welcome("ann");
    console.rest();
    console.keys("P<enter>");
    shows(&console, "the words) on INC-2 ");
    shows(&console, "INC-1 is over or part of another one now, and left out");
    // Left again, it is still about that.
    console.keys("<tab>!<esc>P<enter>");
    shows(&console, "the words) on INC-2 ");
    shows(&console, "precious words");
}

#[test]
fn words_about_several_are_not_sent_over_what_others_said_of_them() {
    let mut console = console();
    let words = WORDS.replace(r#""audience""#, r#""about incidents":["INC-1","INC-2"],"audience""#);
    console.drafts = [("write-update INC-1".to_owned(), words)].into();
    console.keys("P<enter>");
    for id in [1, 2] {
        bob_tells(&mut console, id, "it is over");
    }
    console.keys("<c-s>y");
    shows(&console, "bob told support at 13:22: it is over");
    console.keys("<c-s>y");
    assert_eq!(incident(&console, 1).talk.updates.len(), 1, "{}", console.screen());
}
