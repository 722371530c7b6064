//! What a fast or tired hand must not do: act on what was not seen, answer what was not asked, lose
//! what was written.

use crossterm::event::KeyEvent;

use warroom::domain::ids::IncidentId;
use warroom::proto::{Ask, KeeperMsg, Reply};
use warroom::tui::model::{Asked, LinkState, Modal};
use warroom::tui::update::{Effect, HELD_MS, Msg, update};

use crate::forms::{console, incident, shows};
use crate::screens::{Console, Count, event};
use crate::world::World;

fn key(text: &str) -> KeyEvent {
    event(text.parse().expect("a key"))
}

/// A key while the keeper says nothing.
fn press(console: &mut Console, ids: &mut Count, text: &str) -> Vec<Effect> {
    let now = console.world.now;
    update(&mut console.model, Msg::Key(key(text)), now, ids)
}

fn says(console: &Console, words: &str) {
    let said = console.model.notice.as_ref().map(|notice| notice.text.clone()).unwrap_or_default();
    assert!(said.contains(words), "'{words}' is not in '{said}'");
}

#[test]
fn the_end_of_a_note_that_came_too_early_is_not_taken_for_keys() {
    let (mut console, mut ids) = (console(), Count(700));
    for text in ["j", "n", "x", "i"] {
        press(&mut console, &mut ids, text);
    }
    console.world.now = console.world.now.plus(HELD_MS + 1);
    let now = console.world.now;
    update(&mut console.model, Msg::Tick, now, &mut ids);
    for text in ["a", "<space>", "t", "<enter>", "q", "y"] {
        assert!(press(&mut console, &mut ids, text).is_empty(), "{text}");
    }
    shows(&console, "the keeper is slow to show this incident");
    shows(&console, "2 keys that you struck after it are lost");
    assert!(console.model.in_flight.is_empty() && console.model.marks.is_empty());
    press(&mut console, &mut ids, "<esc>");
    assert!(console.model.modals.is_empty());
}

#[test]
fn what_was_struck_before_a_question_is_no_answer_to_it() {
    let mut console = console();
    let mut ids = Count(700);
    assert_eq!(incident(&console, 1).ack.as_ref().expect("held").by, "bob");
    // Off to another one and back, faster than the keeper answers.
    console.model.mirror.watched = None;
    console.model.mirror.watching = None;
    let mut effects = press(&mut console, &mut ids, "a");
    press(&mut console, &mut ids, "y");
    for effect in effects.drain(..) {
        let Effect::Send { id, .. } = effect else { continue };
        let incident = incident(&console, 1).clone();
        let detail =
            warroom::proto::Detail { head: incident, total: 0, events: Vec::new(), policy: None };
        let reply = Reply::Incident(Box::new(detail));
        console.tell(Msg::FromKeeper(Box::new(KeeperMsg::Reply { id, reply })));
    }
    assert!(matches!(console.model.modals.last(), Some(Modal::Confirm { .. })));
    shows(&console, "take it from them?");
    says(&console, "no answer to this");
    console.keys("<enter>");
    says(&console, "y says yes");
    assert_eq!(incident(&console, 1).ack.as_ref().expect("held").by, "bob");
}

#[test]
fn one_forgotten_mark_is_asked_about() {
    let mut console = console();
    let before = console.world.engine.room.clone();
    console.keys("mj");
    let (marked, here) = (console.model.marks.clone(), console.model.selected_id);
    assert_eq!(marked.len(), 1);
    assert!(here.is_some_and(|here| !marked.contains(&here)));
    console.keys("a");
    shows(&console, "is marked, the cursor is on");
    console.keys("n");
    assert!(console.world.engine.room == before, "nothing was done");
}

#[test]
fn a_count_marks_so_many_whatever_was_before() {
    let mut console = console();
    console.keys("m");
    console.keys("gg09m");
    assert_eq!(console.model.marks.len(), console.model.shown.len());
}

#[test]
fn what_is_pasted_into_a_search_is_looked_for_and_enter_waits_for_the_answer() {
    let (mut console, mut ids) = (console(), Count(700));
    press(&mut console, &mut ids, "<c-f>");
    let now = console.world.now;
    let effects = update(&mut console.model, Msg::Paste("zzzz nothing".to_owned()), now, &mut ids);
    assert!(matches!(effects.as_slice(), [Effect::Send { .. }]), "{effects:?}");
    let before = console.model.selected_id;
    assert!(press(&mut console, &mut ids, "<enter>").is_empty());
    assert_eq!(console.model.selected_id, before);
    says(&console, "still looking");
}

#[test]
fn a_draft_is_remembered_until_the_keeper_has_said_that_it_is_kept() {
    let (mut console, mut ids) = (console(), Count(700));
    // The keeper hangs: it takes the draft and says nothing; then it is gone.
    console.keys("n");
    console.keys("<c-u>");
    for text in ["p", "u", "m", "p", "<esc>"] {
        press(&mut console, &mut ids, text);
    }
    let is_saving = |asked: &Asked| matches!(asked, Asked::Saving(..));
    assert!(console.model.asked.values().any(is_saving));
    console.tell(Msg::Lost("the keeper hangs".to_owned()));
    assert!(matches!(console.model.link, LinkState::Lost { .. }));
    assert!(press(&mut console, &mut ids, "q").is_empty(), "it is asked first");
    says(&console, "1 draft not kept yet");
    console.welcome("ann");
    assert!(console.saved.last().is_some_and(|text| text.contains("pump")), "{:?}", console.saved);
    assert!(console.model.unsaved.is_empty());
}

#[test]
fn a_draft_that_is_refused_comes_back() {
    let (mut console, mut ids) = (console(), Count(700));
    console.keys("n");
    let mut saving = None;
    for text in ["p", "u", "m", "p", "<esc>"] {
        for effect in press(&mut console, &mut ids, text) {
            if let Effect::Send { id, ask: warroom::proto::Ask::SaveDraft { .. } } = effect {
                saving = Some(id);
            }
        }
    }
    let rejection = warroom::domain::rejection::Rejection::new(
        warroom::domain::rejection::RejectionKind::NotNow,
        "there are 32 drafts already",
        "throw one away",
    );
    let (id, reply) = (saving.expect("a draft"), Reply::Rejected(rejection));
    console.tell(Msg::FromKeeper(Box::new(KeeperMsg::Reply { id, reply })));
    shows(&console, "pump");
    shows(&console, "32 drafts already");
}

#[test]
fn what_was_written_is_no_proposal_when_it_is_taken_up_again() {
    let mut console = console();
    console.keys("ul");
    let Some(Modal::Form(form)) = console.model.modals.last_mut() else { panic!("a form") };
    let proposed = form.fields.iter().find(|field| field.is_proposal).map(|field| field.name);
    let name = proposed.expect("something is proposed");
    form.restore(&format!(r#"{{"{name}":"3h, as they asked"}}"#));
    assert!(!form.is_proposed(name));
    assert_eq!(form.value(name), "3h, as they asked");
}

#[test]
fn a_draft_that_was_taken_up_is_left_under_its_own_name() {
    let mut console = console();
    console.keys("P<enter>");
    let Some(Modal::Form(form)) = console.model.modals.last_mut() else { panic!("a form") };
    form.draft_name = Some("note INC-1~".to_owned());
    assert_eq!(form.draft_key(), "note INC-1~");
}

#[test]
fn the_past_is_that_of_one_incident() {
    let mut console = console();
    console.keys("[");
    assert!(console.model.past.as_ref().is_some_and(|past| past.incident == IncidentId(1)));
    console.model.selected_id = Some(IncidentId(2));
    console.tell(Msg::Tick);
    assert!(console.model.past.is_none());
}

#[test]
fn the_palette_teaches_the_keys_that_work_here() {
    let mut console = console();
    console.keys(":acknowledge-alert");
    let screen = console.screen();
    let line = screen.lines().find(|line| line.contains("answer for single")).expect("its line");
    assert!(line.contains("A a"), "{line}");
}

#[test]
fn what_is_longer_than_a_text_may_be_is_not_pasted() {
    let mut console = console();
    console.keys("n<c-u>");
    console.tell(Msg::Paste("x".repeat(70_000)));
    shows(&console, "too long to be pasted");
    console.tell(Msg::Paste("y".repeat(60)));
    let Some(Modal::Form(form)) = console.model.modals.last() else { panic!("a form") };
    assert!(form.value("text").len() < 200 && form.value("text").contains("yyy"));
}

#[test]
fn a_long_timeline_says_that_it_begins_earlier_and_goes_there() {
    let (mut console, mut ids) = (console(), Count(700));
    let watched = console.model.mirror.watched.as_mut().expect("watched");
    let first = watched.events.remove(0);
    let second = watched.events[0].seq;
    console.keys("2");
    press(&mut console, &mut ids, "g");
    let mut asked = press(&mut console, &mut ids, "g");
    shows(&console, "1 earlier, not here yet");
    let Some(Effect::Send { id, ask }) = asked.pop() else { panic!("nothing is asked") };
    let warroom::proto::Ask::Incident { until, .. } = ask else { panic!("{ask:?}") };
    assert_eq!(until, Some(second - 1));
    let detail = warroom::proto::Detail {
        head: incident(&console, 1).clone(),
        total: 1,
        events: vec![first.clone()],
        policy: None,
    };
    let reply = Reply::Incident(Box::new(detail));
    console.tell(Msg::FromKeeper(Box::new(KeeperMsg::Reply { id, reply })));
    let watched = console.model.mirror.watched.as_ref().expect("watched");
    assert_eq!(watched.events[0].seq, first.seq);
    assert!(!console.screen().contains("not here yet"));
}

#[test]
fn paging_through_the_timeline_passes_no_entry_over() {
    let mut console = console();
    for n in 0..40 {
        let text = format!("entry {n:02} {}", "with much to say about it ".repeat(4));
        let line = format!(r#"9m bob {{"do":"note","incident":1,"kind":"note","text":"{text}"}}"#);
        crate::world::play(&mut console.world, &line);
    }
    console.rest();
    console.keys("2G");
    let mut seen = console.screen();
    for _ in 0..60 {
        console.keys("<c-u>");
        seen.push_str(&console.screen());
    }
    for n in 0..40 {
        assert!(seen.contains(&format!("entry {n:02}")), "entry {n:02} was passed over");
    }
}

#[test]
fn what_is_said_is_read_whole_at_eighty_columns() {
    let mut console = console();
    let why = "a long reason why this could not be done, with all that somebody needs to know of it, \
               and what to do next: look at the end of this";
    console.model.say(warroom::tui::model::Tone::Bad, why);
    shows(&console, "look at the end of this");
}

#[test]
fn a_terminal_without_unicode_gets_none() {
    let mut console = console();
    crate::world::play(
        &mut console.world,
        r#"9m bob {"do":"open","title":"\u011b2J gr\u00fc\u00dfe","declare":true}"#,
    );
    console.model.theme.ascii = true;
    console.model.theme.is_narrow = true;
    console.rest();
    let screen = console.screen();
    assert!(screen.contains("?2J gr??e"), "{screen}");
    assert!(screen.is_ascii(), "{screen}");
}

#[test]
fn why_the_keeper_is_gone_is_read_whole() {
    let mut console = console();
    console.tell(Msg::Lost("the connection to the keeper broke".to_owned()));
    let why = "the keeper did not start: another keeper holds /var/lib/warroom/home; use it, or \
               stop it first";
    console.tell(Msg::Lost(why.to_owned()));
    shows(&console, "stop it first");
}

#[test]
fn two_consoles_of_one_person_keep_their_drafts_apart() {
    let mut console = console();
    console.model.mirror.people.push(warroom::proto::Present {
        login: "ann".to_owned(),
        client: 7,
        incident: Some(IncidentId(1)),
        writing: true,
    });
    console.keys("n");
    let Some(Modal::Form(form)) = console.model.modals.last() else { panic!("a form") };
    assert_eq!(form.draft_key(), "note INC-1~");
    says(&console, "at another console too");
}

#[test]
fn an_act_on_very_many_goes_out_a_few_at_a_time_and_all_of_them_are_answered() {
    let mut world = World::new();
    for n in 0..400 {
        let open = format!(r#"{{"do":"open","title":"incident {n}","severity":"SEV3"}}"#);
        world.act("bob", serde_json::from_str(&open).expect("a command"));
    }
    let mut console = Console::new(world, "ann", (80, 24));
    console.rest();
    console.keys("Ma");
    shows(&console, "acknowledge 400 incidents?");
    let mut ids = Count(10_000);
    let effects = press(&mut console, &mut ids, "y");
    let is_act = |effect: &&Effect| matches!(effect, Effect::Send { ask: Ask::Do { .. }, .. });
    let under_way = effects.iter().filter(is_act).count();
    assert_eq!(under_way, warroom::tui::flights::AT_ONCE);
    assert_eq!(console.model.in_flight.len(), 400);
    // The line breaks in the midst of it: on the new one all go again, a few at a time.
    console.tell(Msg::Lost("the connection broke".to_owned()));
    console.read_all();
    console.welcome("ann");
    console.rest();
    assert!(console.model.in_flight.is_empty() && console.model.bulk.is_none());
    let room = &console.world.engine.room;
    assert!(room.incidents.values().all(|i| i.ack.as_ref().is_some_and(|a| a.by == "ann")));
}

#[test]
fn a_number_typed_into_the_filter_is_that_incident_and_words_are_those_lines() {
    let mut world = World::new();
    for n in 1..=46 {
        let title = if n == 46 { "new t".to_owned() } else { format!("a new incident: title {n}") };
        let open = serde_json::json!({ "do": "open", "title": title, "severity": "SEV3" });
        world.act("bob", serde_json::from_value(open).expect("a command"));
    }
    for (typed, id) in [("INC-3", 3), ("4", 4), ("inc-40", 40), ("new t", 46), ("title 12", 12)] {
        let mut console = Console::new(world, "ann", (80, 24));
        console.keys(&format!("/{typed}<enter>"));
        assert_eq!(console.model.selected_id, Some(IncidentId(id)), "{typed}");
        world = console.world;
    }
    let mut console = Console::new(world, "ann", (80, 24));
    console.keys("/titl12<enter>");
    assert_eq!(console.model.selected_id, Some(IncidentId(12)), "what resembles it is found still");
}

#[test]
fn what_was_said_can_be_read_again() {
    let mut console = console();
    console.keys("S4<c-s>one shop only<c-s>");
    console.keys("nseen<c-s>");
    console.rest();
    assert!(console.model.notice.is_none(), "it is gone from the bottom");
    console.keys("gs");
    shows(&console, "What was said, the newest first");
    shows(&console, "set severity INC-1 ✓");
    shows(&console, "note INC-1 ✓");
}

#[test]
fn what_was_said_of_one_act_on_many_is_not_lost_by_the_next_one() {
    let mut console = console();
    console.keys("May");
    let said = |console: &Console| {
        console.model.said.iter().filter(|it| it.text.contains(" of 3 done")).count()
    };
    assert_eq!(said(&console), 1, "{:?}", console.model.said);
    console.keys("<esc>Mnwatch it<c-s>y");
    assert_eq!(said(&console), 2, "{:?}", console.model.said);
}
