//! What happens beside what somebody does at a console: rows that leave, answers that come late, a
//! keeper that goes; nothing that was meant for one incident is done to another.

use warroom::domain::ids::IncidentId;
use warroom::domain::post::Signal;
use warroom::tui::update::Msg;

use crate::at_night::{long_update, note};
use crate::forms::{console, incident, shows};
use crate::screens::{Console, busy};
use crate::world::alert;

#[test]
fn what_was_meant_for_one_incident_is_done_to_no_other() {
    // An act waits for its incident; a report that is taken meanwhile takes the cursor elsewhere.
    let mut console = console();
    let now = console.world.now;
    let mut ids = crate::screens::Count(700);
    let mut press = |console: &mut Console, key: &str| {
        let event = crate::screens::event(key.parse().expect("a key"));
        warroom::tui::update::update(&mut console.model, Msg::Key(event), now, &mut ids)
    };
    press(&mut console, "j");
    press(&mut console, "a");
    assert!(!console.model.held.is_empty(), "the incident is not here yet");
    console.model.selected_id = Some(IncidentId(3));
    console.tell(Msg::Tick);
    assert!(console.model.held.is_empty());
    shows(&console, "the cursor came to another incident");
    assert!(incident(&console, 3).ack.is_none() && incident(&console, 2).ack.is_none());
}

#[test]
fn an_approval_is_of_what_is_shown_and_a_form_keeps_its_incident() {
    let mut console = long_update();
    console.keys("ua");
    // The row leaves the list under the form: the incident that is looked at stays.
    console.model.filter = "kafka".to_owned();
    console.tell(Msg::Tick);
    assert_eq!(console.model.selected_id, Some(IncidentId(1)));
    console.keys("<c-s>");
    shows(&console, "paragraph 01 of it");
    console.keys("n");
    // Another one is looked at all the same: then nothing is approved unread.
    console.model.selected_id = Some(IncidentId(2));
    console.keys("<c-s>");
    shows(&console, "INC-1 is not what is shown now");
}

#[test]
fn a_draft_that_is_left_while_the_keeper_is_away_is_given_to_the_next_one() {
    let mut console = console();
    console.keys("T");
    console.tell(Msg::Lost("the connection broke".to_owned()));
    console.keys("<c-u>half a title<esc>");
    console.saved.clear();
    console.read_all();
    console.welcome("ann");
    assert!(console.saved.iter().any(|text| text.contains("half a title")), "{:?}", console.saved);
}

#[test]
fn a_long_page_is_read_to_its_end() {
    let mut world = busy();
    for n in 0..20 {
        let until = world.now.plus(3_600_000 * (n + 1));
        let why = "the disks of the whole second rack are replaced and will be full for a while";
        let silence = format!(
            r#"{{"do":"silence","when":{{"alertname":"Disk{n}*","datacentre":"eu-central-1"}},"until":"{until}","reason":"{why}"}}"#
        );
        world.act("bob", serde_json::from_str(&silence).expect("a command"));
    }
    let mut console = Console::new(world, "ann", (80, 24));
    console.keys("Av");
    shows(&console, "↓");
    let mut seen = String::new();
    for _ in 0..80 {
        seen.push_str(&console.screen());
        console.keys("j");
    }
    for n in 0..20 {
        assert!(seen.contains(&format!("alertname=Disk{n}* ")), "silence {n} is seen");
    }
}

#[test]
fn the_cursor_stays_on_its_entry_though_newer_ones_come() {
    let mut console = console();
    note(&mut console.world, "the password is hunter2");
    console.tell(Msg::Tick);
    console.keys("2G");
    let before = console.model.entry_under_cursor();
    note(&mut console.world, "another one");
    note(&mut console.world, "and one more");
    console.tell(Msg::Tick);
    assert!(before.is_some());
    assert_eq!(console.model.entry_under_cursor(), before);
}

#[test]
fn newer_entries_below_the_pane_are_told_in_its_title() {
    let mut console = console();
    console.keys("2G");
    console.rest();
    assert!(!console.screen().contains(" ↓"), "{}", console.screen());
    for n in 0..40 {
        note(&mut console.world, &format!("note {n}"));
    }
    console.tell(Msg::Tick);
    console.rest();
    assert!(console.screen().contains(" ↓"), "{}", console.screen());
    // At the newest one nothing stands below.
    console.keys("G");
    console.rest();
    assert!(!console.screen().contains(" ↓"), "{}", console.screen());
    shows(&console, "note 39");
}

#[test]
fn nobody_is_wanted_for_what_somebody_else_declined() {
    let mut console = Console::new(busy(), "ann", (80, 24));
    let page = vec![alert("DiskFull", "db-1", "critical", Signal::Firing)];
    console.world.post("am", Some("disk"), page);
    console.world.tick();
    console.tell(Msg::Tick);
    shows(&console, "PAGED ×");
    let open: Vec<u32> = console.model.paged.iter().map(|id| id.0).collect();
    for id in open {
        let decline =
            format!(r#"{{"do":"decline","incident":{id},"reason":"false-alarm","note":"a test"}}"#);
        console.world.act("bob", serde_json::from_str(&decline).expect("a command"));
    }
    console.tell(Msg::Tick);
    console.rest();
    assert!(!console.screen().contains("PAGED"), "{}", console.screen());
}
