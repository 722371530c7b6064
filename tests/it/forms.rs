//! The rarer workflows by keys: what each form asks, what it does, and what it refuses.

use warroom::domain::ids::IncidentId;
use warroom::domain::incident::Incident;
use warroom::domain::words::{AlertState, Moment, PublicStatus, Role};

use crate::screens::{Console, busy};

/// The busy room in a small console of Ann.
pub fn console() -> Console {
    Console::new(busy(), "ann", (80, 24))
}

/// An incident of the room behind a console.
pub fn incident(console: &Console, id: u32) -> &Incident {
    let room = &console.world.engine.room;
    room.incidents.get(&IncidentId(id)).expect("an incident in the room")
}

/// The screen holds these words.
#[track_caller]
pub fn shows(console: &Console, words: &str) {
    let screen = console.screen();
    assert!(screen.contains(words), "'{words}' is not on the screen:\n{screen}");
}

fn states(console: &Console) -> Vec<AlertState> {
    let alerts = console.world.engine.room.alerts.values();
    alerts.filter(|a| a.incident == Some(IncidentId(1))).map(|a| a.state()).collect()
}

#[test]
fn the_alerts_are_listed_and_one_is_acknowledged() {
    let mut console = console();
    console.keys("A");
    shows(&console, "s shelve alert");
    console.keys("l");
    insta::assert_snapshot!("alerts_80x24", console.screen());
    console.keys("a");
    shows(&console, "is acknowledged; nothing was changed");
    console.keys("jAa<enter>");
    assert!(console.model.modals.is_empty(), "{}", console.screen());
    let kafka = console.world.engine.room.alerts.get("am/KafkaLag-orders").expect("an alert");
    assert_eq!(kafka.state(), AlertState::Acknowledged);
}

#[test]
fn marked_alerts_are_shelved_after_one_question_and_come_back() {
    let mut console = console();
    console.keys("As<space><space><enter>");
    shows(&console, "Shelve alerts of INC-1 (2 alerts)");
    console.keys("<tab>known noise<c-s>");
    shows(&console, "shelve 2 alerts?");
    console.keys("y");
    shows(&console, "2 of 2 done");
    assert_eq!(states(&console), [AlertState::Shelved; 2]);
    console.keys("AuM<enter>y");
    assert!(!states(&console).contains(&AlertState::Shelved), "{:?}", states(&console));
}

#[test]
fn shelving_asks_for_a_reason_and_an_end() {
    let mut console = console();
    console.keys("As<enter><tab><c-s>");
    shows(&console, "needs a reason");
    console.keys("noise<s-tab><c-k><c-u><backspace><backspace>90d<c-s>");
    shows(&console, "nothing is shelved for ever");
}

#[test]
fn some_alerts_are_split_off() {
    let mut console = console();
    console.keys("Axj<enter>");
    console.keys("the second node<c-s>");
    assert_eq!(incident(&console, 4).title, "the second node");
    assert_eq!(incident(&console, 1).members.len(), 1);
    console.rest();
    shows(&console, "INC-4");
}

#[test]
fn a_file_goes_on_record_by_its_hash() {
    let mut console = console();
    console.keys("E/no/such/file<c-s>");
    shows(&console, "cannot read /no/such/file");
    console.keys("<c-u>");
    for _ in 0..20 {
        console.keys("<backspace>");
    }
    console.tell(warroom::tui::update::Msg::Paste(
        concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml").to_owned(),
    ));
    console.keys("<tab>the manifest<c-s>");
    shows(&console, "attached Cargo.toml");
    assert!(console.model.modals.is_empty());
}

#[test]
fn an_entry_is_hidden_for_good_after_a_question() {
    let mut console = console();
    console.keys("sh");
    shows(&console, "select an entry of the timeline first");
    console.keys("2kksh");
    shows(&console, "hides for good: ? pool exhausted");
    console.keys("names a customer<c-s>");
    shows(&console, "It cannot be undone.");
    console.keys("y");
    shows(&console, "(redacted)");
    assert!(!console.screen().contains("pool exhausted"), "{}", console.screen());
}

#[test]
fn an_instant_is_revised() {
    let mut console = console();
    console.keys("sm<tab>13:05<c-s>");
    shows(&console, "needs a reason");
    console.keys("the graphs say so<c-s>");
    assert!(console.model.modals.is_empty(), "{}", console.screen());
    let began = incident(&console, 1).moments.get(&Moment::Began).copied().expect("an instant");
    assert_eq!(began.clock_minutes(), "13:05");
    console.keys("sm<tab>unknown<tab>no graphs<c-s>");
    assert!(incident(&console, 1).unknown.contains(&Moment::Began));
}

#[test]
fn what_the_public_is_told_asks_first_and_comes_back_on_no() {
    let mut console = console();
    console.keys("spi<enter>");
    shows(&console, "put on record that the public knows INC-1 as");
    shows(&console, "alone ('u u').");
    console.keys("n");
    assert_eq!(incident(&console, 1).public, PublicStatus::Unpublished);
    shows(&console, "public status");
    console.keys("<c-s>y");
    assert_eq!(incident(&console, 1).public, PublicStatus::Investigating);
}

#[test]
fn labels_and_services_are_set() {
    let mut console = console();
    console.keys("slregion<tab>eu-west<c-s>");
    console.keys("sscheckout payments<c-s>");
    let known = incident(&console, 1);
    assert_eq!(known.labels.get("region").map(String::as_str), Some("eu-west"));
    assert_eq!(known.services, ["checkout", "payments"]);
    console.keys("slregion<tab><c-s>");
    assert!(!incident(&console, 1).labels.contains_key("region"));
}

#[test]
fn a_role_is_left_and_a_link_is_taken_back() {
    let mut console = console();
    console.keys("or<tab>");
    shows(&console, "Role in INC-1");
    console.keys("<c-s>");
    assert!(incident(&console, 1).roles.contains_key(&Role::Scribe), "{}", console.screen());
    console.keys("ol");
    shows(&console, "scribe ann");
    console.keys("<c-s>");
    assert!(!incident(&console, 1).roles.contains_key(&Role::Scribe), "{}", console.screen());
    console.keys("L");
    shows(&console, "makes no sense");
    console.keys("l<tab>INC-2<c-s>");
    assert_eq!(incident(&console, 1).links.len(), 1);
    console.keys("L<c-s>");
    assert!(incident(&console, 1).links.is_empty(), "{}", console.screen());
}

#[test]
fn a_long_list_of_stakeholders_follows_its_cursor() {
    let mut console = console();
    for n in 10..30 {
        let act = serde_json::json!({
            "do": "log-contact", "incident": 1, "stakeholder": format!("team-{n}"),
            "channel": "phone", "text": "told",
        });
        console.world.act("bob", serde_json::from_value(act).expect("a command"));
    }
    console.keys("4G");
    shows(&console, "▶partners");
    console.keys("gg");
    shows(&console, "▶support");
}

#[test]
fn a_half_written_form_about_alerts_still_knows_its_alerts() {
    let mut form = warroom::tui::form::Form::new(warroom::tui::action::Action::Split, "t");
    form.fields = vec![warroom::tui::form::Field::line("title", "title", "half")];
    form.alerts = vec!["am/a".to_owned()];
    let draft = form.draft();
    form.alerts.clear();
    form.restore(&draft);
    assert_eq!(form.alerts, ["am/a"]);
}

#[test]
fn a_day_of_many_hand_overs_is_whole_in_the_calendar_and_a_cover_is_marked() {
    let mut console = console();
    let rota = r#"
zone = "UTC"
[[rotations]]
start = "2026-11-16T01:00:00"
every = "hour"
times = 2
people = ["ann", "bob"]
"#;
    let (from, until) = (console.world.now.plus(60_000), console.world.now.plus(120_000));
    let cover = serde_json::json!({ "id": 1, "from": from, "until": until, "person": "dana" });
    let changes = serde_json::json!({ "covers": [cover] });
    let mirror = &mut console.model.mirror;
    mirror.plan.schedules.insert("often".to_owned(), toml::from_str(rota).expect("a schedule"));
    let changes = serde_json::from_value(changes).expect("changes");
    mirror.desk.changes.insert("often".to_owned(), changes);
    let lines = warroom::tui::view::calendar::lines(&console.model);
    let text: Vec<String> = lines.iter().map(|line| line.text.clone()).collect();
    let at = text.iter().position(|line| line.starts_with("often")).expect("the schedule");
    let day: String = text[at + 1..at + 6].join("\n");
    assert!(day.contains("dana(c)"), "{day}");
    assert!(text.iter().all(|line| line.chars().count() <= 78), "{text:#?}");
    assert!(text[at + 1..].iter().any(|line| line.contains("23:00")), "{text:#?}");
}

#[test]
fn words_in_another_language_than_their_readers_have_are_asked_about() {
    let mut world = busy();
    let mut plan = world.engine.room.plan.clone();
    plan.stakeholders.get_mut("support").expect("support").language = "de".to_owned();
    let body = warroom::domain::event::Body::PlanAdopted {
        plan: Box::new(plan),
        digest: "in German".to_owned(),
        note: String::new(),
    };
    world.give(warroom::keeper::turn::Input::Own(body));
    let mut console = Console::new(world, "ann", (80, 24));
    console.keys("uwi<tab>support, executives");
    while console.model.modals.last().is_some_and(|modal| {
        matches!(modal, warroom::tui::model::Modal::Form(form) if form.fields[form.at].name != "subject")
    }) {
        console.keys("<tab>");
    }
    console.keys("All of them<tab>we look at it<c-s>");
    shows(&console, "in another language than they read");
}

#[test]
fn what_one_wrote_of_a_maintenance_is_let_go_by_another_or_for_a_reason() {
    let mut console = console();
    console.keys("empayments<tab><tab><tab>disks<tab>Disks: new ones<c-s>y");
    console.keys("el");
    shows(&console, "1 by ann: Disks: new ones");
    console.keys("<tab><c-s>");
    shows(&console, "you wrote it yourself: another one looks at it");
    console.keys("alone tonight<c-s>");
    shows(&console, "let the public read this?");
    console.keys("y");
    let window = &console.world.engine.room.desk.windows[&1];
    let looked = Some(("ann".to_owned(), Some("alone tonight".to_owned())));
    assert_eq!((window.public.as_str(), &window.looked), ("Disks: new ones", &looked));
}
