//! What a tired person does at three in the morning, and what the console makes of it.

use warroom::domain::command::Command;
use warroom::domain::ids::IncidentId;
use warroom::domain::post::Signal;
use warroom::domain::time::Timestamp;
use warroom::tui::update::Msg;

use crate::features::paging_world;
use crate::forms::{console, incident, shows};
use crate::screens::{Console, busy};
use crate::world::{World, alert, play};

#[test]
fn what_a_field_proposes_gives_way_to_what_is_typed() {
    let mut console = console();
    console.keys("a");
    shows(&console, "bob has INC-1 since 13:20; take it from them?");
    console.keys("yeh");
    console.keys("zoe<c-s>");
    shows(&console, "the plan knows no 'zoe'");
    console.keys("y");
    let offer = incident(&console, 1).esc.handover.as_ref().expect("an offer");
    assert_eq!(offer.to, "zoe", "and not the proposal with it");
    console.keys("es45m<tab>quiet<c-s>");
    let snooze = incident(&console, 1).esc.snooze.as_ref().expect("it sleeps");
    assert_eq!(snooze.until.since(console.world.now) / 60_000, 44);
}

#[test]
fn ctrl_u_empties_the_line() {
    let mut console = console();
    console.keys("Tworse<c-u>checkout is down<c-s>");
    assert_eq!(incident(&console, 1).title, "checkout is down");
}

#[test]
fn a_time_of_day_is_the_next_one() {
    let mut console = console();
    console.keys("4ul<tab><tab>we call back<tab>13:10<c-s>");
    shows(&console, "13:10 is over today: it would be 2026-11-24 13:10;");
    console.keys("y");
    let told = incident(&console, 1).told["support"].next_by.expect("a promise");
    let now: Timestamp = console.world.now;
    assert!(told > now && told.clock_minutes() == "13:10", "{told}");
}

#[test]
fn half_a_thought_is_taken_up_again_and_not_overwritten() {
    let mut console = console();
    console.keys("n");
    shows(&console, "half a thought");
    console.keys(" and the other<c-s>");
    shows(&console, "half a thought and the other");
}

#[test]
fn a_bulk_act_that_is_refused_keeps_the_words_and_the_marks() {
    let mut console = console();
    console.keys("mmx30 minutes without an error<c-s>y");
    shows(&console, "0 of 2 done, 2 refused");
    shows(&console, "30 minutes without an error");
    assert_eq!(console.model.marks.len(), 2, "they can be tried again");
}

#[test]
fn a_window_over_everything_is_asked_for_and_seen_by_all() {
    let mut console = console();
    console.keys("em*<tab><tab><tab>moving house<c-s>");
    shows(&console, "NO service at all pages anybody");
    console.keys("y");
    console.world.tick();
    console.tell(Msg::Tick);
    shows(&console, "ALL SERVICES SILENT until");
    console.keys("eM<c-s>");
    console.tell(Msg::Tick);
    assert!(!console.screen().contains("ALL SERVICES SILENT"), "{}", console.screen());
}

#[test]
fn a_page_says_where_it_is_and_a_key_goes_there() {
    let mut console = Console::new(busy(), "ann", (120, 40));
    console.keys("j");
    for (name, group) in [("DiskFull", "disk"), ("NoRoute", "net")] {
        let alerts = vec![alert(name, "db-1", "critical", Signal::Firing)];
        console.world.post("am", Some(group), alerts);
        console.world.tick();
        console.tell(Msg::Tick);
    }
    shows(&console, "PAGED ×");
    console.keys("gp");
    let first = console.model.selected_id;
    assert!(first.is_some_and(|id| id.0 >= 4), "{first:?}");
    console.keys("a");
    assert!(incident(&console, first.expect("it is open").0).ack.is_some());
    assert!(!console.model.paged.contains(&first.expect("it is open")), "it is answered");
}

#[test]
fn a_filter_that_finds_nothing_gives_the_cursor_back() {
    let mut console = console();
    console.keys("jj");
    let before = console.model.selected_id;
    console.keys("/zzz<esc>");
    assert_eq!(console.model.selected_id, before);
    console.keys("/kafka<enter>/");
    assert!(console.model.filter.is_empty(), "a new search begins empty");
}

#[test]
fn all_that_follows_a_prefix_is_seen_on_a_small_screen() {
    let mut console = console();
    console.keys("e");
    for words in ["p page", "s snooze", "w wake", "y policy", "o on call", "M end maintenance"] {
        shows(&console, words);
    }
}

#[test]
fn escalating_to_nobody_leaves_the_levels_between_to_come() {
    let mut plan = paging_world::plan();
    let policy = plan.policies.get_mut("standard").expect("the policy");
    policy.levels[3].targets = vec!["schedule:empty".to_owned()];
    let mut world = World::under(plan);
    let told = play(
        &mut world,
        r#"0m ann {"do":"open","title":"t","severity":"SEV2","services":["payments"]}
           0m clock
           1m ann {"do":"escalate","incident":1,"level":"executive","reason":"it is bad"}
           6m clock"#,
    );
    assert!(told.contains("level 'executive' reached NOBODY"), "{told}");
    assert!(told.contains("L2 senior: no answer"), "nobody is passed over: {told}");
}

#[test]
fn who_is_called_to_help_answers_without_taking_it_over() {
    let mut world = World::under(paging_world::plan());
    play(
        &mut world,
        r#"0m ann {"do":"open","title":"t","severity":"SEV2","services":["payments"]}
           1m bob {"do":"acknowledge","incident":1}
           2m bob {"do":"page","incident":1,"people":["fay"],"reason":"the database"}
           2m clock"#,
    );
    // The line in the queue says who is wanted although somebody has it.
    let wants = |world: &World, who: &str| {
        warroom::domain::row::Row::of(&world.engine.room.incidents[&IncidentId(1)]).wants(who)
    };
    assert!(wants(&world, "fay") && !wants(&world, "zoe"));
    play(&mut world, r#"3m fay {"do":"acknowledge","incident":1}"#);
    assert!(!wants(&world, "fay"), "she is wanted no more");
    let incident = &world.engine.room.incidents[&IncidentId(1)];
    assert_eq!(incident.ack.as_ref().map(|ack| ack.by.as_str()), Some("bob"));
    assert!(!incident.is_called("fay"), "she answered");
    let again = Command::Acknowledge { incident: IncidentId(1) };
    world.act("fay", again);
    let incident = &world.engine.room.incidents[&IncidentId(1)];
    assert_eq!(incident.ack.as_ref().map(|ack| ack.by.as_str()), Some("fay"), "now she takes it");
}

#[test]
fn reports_and_who_must_know_are_read_by_keys() {
    let mut console = console();
    console.keys("ub");
    for words in ["FOR THE ROOM", "CONDITIONS", "pool 50 to 200"] {
        shows(&console, words);
    }
    console.keys("q");
    console.keys("um");
    shows(&console, "customers (customers, reads what is public, in en, approval: commander)");
    shows(&console, "must do it by hand");
    console.keys("q");
    assert!(console.model.modals.is_empty());
}

#[test]
fn two_audiences_are_told_two_things_by_keys_alone() {
    let mut console = console();
    console.keys("dit is one<c-s>");
    console.keys("uui<tab><tab>pool is exhausted<c-s>");
    shows(&console, "pool is exhausted");
    console.keys("<c-s>");
    shows(&console, "send it to");
    console.keys("y");
    let told = &incident(&console, 1).told;
    assert!(told.contains_key("support"), "{told:?}");
    console.keys("uupp<c-s>");
    shows(&console, "say what they may read as its title");
    console.keys("Card payments fail<c-s>");
    shows(&console, "Card payments fail: investigating");
    console.keys("<c-s>y");
    assert_eq!(incident(&console, 1).talk.waiting().count(), 1, "it waits for the commander");
    let approve = r#"{"do":"talk","incident":1,"talk":{"say":"approve","update":2}}"#;
    let (reply, _) = console.world.act("bob", serde_json::from_str(approve).expect("a command"));
    assert!(!format!("{reply:?}").contains("Rejected"), "{reply:?}");
    assert_eq!(incident(&console, 1).public.word(), "investigating");
    assert!(!console.world.engine.room.board.incidents.is_empty(), "the page has it");
}

#[test]
fn who_opens_a_console_is_told_what_they_are_paged_for() {
    let mut world = busy();
    world.post("am", Some("disk"), vec![alert("DiskFull", "db-1", "critical", Signal::Firing)]);
    world.tick();
    let mut console = Console::new(world, "ann", (80, 24));
    shows(&console, "PAGED ×1 (g p)");
    console.keys("gpa");
    assert!(!console.screen().contains("PAGED ×"), "{}", console.screen());
    let other = Console::new(console.world, "bob", (80, 24));
    assert!(!other.screen().contains("PAGED"), "it was not for them");
}

#[test]
fn the_chain_says_that_there_is_more_than_its_pane_shows() {
    let mut console = Console::new(busy(), "ann", (120, 18));
    console.keys("3");
    let title = |console: &Console| {
        let screen = console.screen();
        screen.lines().find(|line| line.contains("[Escalation")).expect("its title").to_owned()
    };
    assert!(
        title(&console).contains('↓') && !title(&console).contains('↑'),
        "{}",
        console.screen()
    );
    console.keys("j");
    assert!(title(&console).contains("↑1"), "{}", console.screen());
    for _ in 0..30 {
        console.keys("j");
    }
    assert!(
        title(&console).contains('↑') && !title(&console).contains('↓'),
        "{}",
        console.screen()
    );
}

#[test]
fn whom_no_page_reached_is_named_beside_the_next_step_on_a_small_screen_too() {
    let mut world = World::under(paging_world::plan());
    let open = paging_world::OPEN;
    // Bob stands on the first level, and on the second one beside Dana.
    let refused = "0m answer bob mail refused\n0m clock\n0m answer bob phone refused\n0m clock";
    play(&mut world, &format!("0m bob {open}\n0m clock\n{refused}\n1m clock\n{refused}"));
    let mut console = Console::new(world, "dana", (80, 24));
    shows(&console, "NOT REACHED: bob");
    console.keys("a");
    assert!(!console.screen().contains("NOT REACHED"), "{}", console.screen());
}

#[test]
fn whoever_is_wanted_sees_it_in_the_console_by_whatever_way_they_are_paged() {
    let mut console = Console::new(World::under(paging_world::plan()), "bob", (80, 24));
    // By mail alone: nothing comes into the console by the page itself.
    let open = paging_world::OPEN;
    play(&mut console.world, &format!("0m ann {open}\n0m clock"));
    console.tell(Msg::Tick);
    shows(&console, "PAGED ×1 (g p)");
    shows(&console, "YOU ARE WANTED: SEV2 INC-1");
    assert!(console.model.bell);
    // Maintenance takes it back.
    let until = crate::world::START.plus(600_000);
    let window = format!(
        r#"1m erik {{"do":"plan-window","services":["payments"],"from":"{}","until":"{until}","reason":"disks"}}"#,
        crate::world::START
    );
    play(&mut console.world, &format!("{window}\n1m clock"));
    console.tell(Msg::Tick);
    console.rest();
    assert!(!console.screen().contains("PAGED ×"), "{}", console.screen());
    // Whom nothing reached is told here all the same, also on coming.
    let mut console = Console::new(World::under(paging_world::plan()), "bob", (80, 24));
    let refused = "0m answer bob mail refused\n0m clock\n0m answer bob phone refused\n0m clock";
    play(&mut console.world, &format!("0m ann {open}\n0m clock\n{refused}\n1m clock\n{refused}"));
    console.tell(Msg::Tick);
    shows(&console, "PAGED ×1 (g p)");
    let other = Console::new(console.world, "bob", (120, 40));
    shows(&other, "PAGED ×1 (g p)");
}

#[test]
fn words_that_somebody_else_took_back_are_said_and_are_a_draft_again() {
    let mut console = console();
    console.keys("dit is one<c-s>");
    console.keys("uupp<c-s>");
    console.keys("Card payments fail<c-s><c-s>y");
    assert_eq!(incident(&console, 1).talk.waiting().count(), 1);
    let back =
        r#"{"do":"talk","incident":1,"talk":{"say":"withdraw","update":1,"reason":"too early"}}"#;
    console.world.act("bob", serde_json::from_str(back).expect("a command"));
    console.tell(Msg::Tick);
    shows(&console, "bob took back your update 1 of INC-1: too early (P has its words)");
    console.keys("Pj<enter>");
    shows(&console, "Card payments fail");
}

#[test]
fn words_taken_back_while_nobody_looked_are_said_at_the_next_look() {
    let mut console = console();
    console.keys("dit is one<c-s>");
    console.keys("uupp<c-s>Card payments fail<c-s><c-s>y");
    let back =
        r#"{"do":"talk","incident":1,"talk":{"say":"withdraw","update":1,"reason":"too early"}}"#;
    console.world.act("bob", serde_json::from_str(back).expect("a command"));
    let mut later = Console::new(console.world, "ann", (120, 40));
    let words = "bob took back your update 1 of INC-1: too early (P has its words)";
    later.keys("jk");
    later.rest();
    let told = later.model.said.iter().filter(|said| said.text == words).count();
    assert_eq!(told, 1, "once in each console: {:?}", later.model.said);
    later.keys("Pj<enter>");
    shows(&later, "Card payments fail");
    // Whoever wrote something newer has gone on.
    later.keys("<c-s>");
    later.keys("<c-s>y");
    assert_eq!(incident(&later, 1).talk.waiting().count(), 1, "{}", later.screen());
    let other = Console::new(later.world, "ann", (120, 40));
    assert!(!other.screen().contains("took back"), "{}", other.screen());
}

#[test]
fn a_long_choice_is_read_whole_and_fields_beyond_the_edge_are_told() {
    let mut console = console();
    let ask = r#"{"do":"talk","incident":1,"talk":{"say":"inquire","outlet":"Handelsblatt","person":"Jo Reporter jo@hb.example","question":"Is it true that card payments have failed since noon, and did anybody warn you before it happened?"}}"#;
    console.world.act("bob", serde_json::from_str(ask).expect("a command"));
    console.tell(Msg::Tick);
    console.keys("us");
    shows(&console, "warn you before it happened?");
    console.keys("<esc>");
    console.keys("uupp<c-s>Card payments fail<c-s>");
    console.tell(Msg::Resize(80, 15));
    shows(&console, "more · tab next field");
}
