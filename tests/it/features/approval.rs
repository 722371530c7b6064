//! Who looks at words before they go out, and by which ways they then go.

use warroom::domain::plan::Plan;
use warroom::domain::row::Row;
use warroom::domain::words::Approval;

use crate::features::talk::{BEGIN, draft, letter, plan};
use crate::world::{World, play};

#[test]
fn one_whose_words_must_be_approved_holds_up_nobody_else() {
    let mut plan = plan();
    plan.stakeholders.get_mut("executives").expect("they").approvers = vec!["zoe".to_owned()];
    let mut world = World::under(plan);
    play(&mut world, BEGIN);
    let both = draft("internal", &["executives", "support"], Some(30), "");
    let told = play(&mut world, &format!("1m bob {both}"));
    assert!(told.contains("update 1 goes to support by mail"), "{told}");
    assert!(told.contains("update 2 for executives (internal)"), "{told}");
    assert_eq!(letter(&world).talk.waiting().count(), 1);
}

#[test]
fn those_named_for_one_reader_do_not_release_words_to_the_public() {
    let mut plan = plan();
    let mut list = plan.stakeholders["customers"].clone();
    (list.channels, list.subscribers) = (vec!["mail:list@example.org".to_owned()], Vec::new());
    list.approvers = vec!["zoe".to_owned()];
    plan.stakeholders.insert("list".to_owned(), list);
    let mut world = World::under(plan);
    play(&mut world, BEGIN);
    let public = draft("public", &["customers", "list"], Some(30), r#","public":"investigating""#);
    play(&mut world, &format!("1m bob {public}"));
    let waiting: Vec<Vec<String>> =
        letter(&world).talk.waiting().map(|update| update.draft.to.clone()).collect();
    assert_eq!(waiting, [["customers"], ["list"]]);
    let approve =
        |n| format!(r#"{{"do":"talk","incident":1,"talk":{{"say":"approve","update":{n}}}}}"#);
    let told = play(&mut world, &format!("2m zoe {}", approve(1)));
    assert!(told.contains("update 1 is for ann to approve"), "{told}");
    let told = play(&mut world, &format!("3m ann {}\n3m zoe {}", approve(1), approve(2)));
    assert!(!told.contains("refused") && letter(&world).talk.waiting().count() == 0, "{told}");
}

#[test]
fn an_update_to_a_person_opens_no_page_elsewhere() {
    let mut plan = plan();
    let pager: Plan = toml::from_str(
        "[channels.pager]\nkind = \"webhook\"\nurl = \"https://pager.example.org/\"\nformat = \"pagerduty-v2\"\n",
    )
    .expect("a plan");
    plan.channels.extend(pager.channels);
    plan.people.get_mut("zoe").expect("she").contacts =
        vec!["pager:KEY".to_owned(), "mail:zoe@example.org".to_owned()];
    plan.stakeholders.get_mut("support").expect("they").channels = vec!["person:zoe".to_owned()];
    let mut world = World::under(plan);
    play(&mut world, BEGIN);
    play(&mut world, &format!("1m bob {}", draft("internal", &["support"], Some(30), "")));
    let letters: Vec<String> = letter(&world)
        .talk
        .letters
        .values()
        .flat_map(|letter| letter.delivery.wanted.methods.iter().map(|m| m.name.clone()))
        .collect();
    assert_eq!(letters, ["mail:zoe@example.org"]);
}

#[test]
fn words_that_were_overtaken_are_not_let_go_any_more() {
    let mut world = World::under(plan());
    play(&mut world, BEGIN);
    let words =
        |more: &str| draft("public", &["customers"], Some(60), &format!(r#","public":{more}"#));
    let approve =
        |n| format!(r#"{{"do":"talk","incident":1,"talk":{{"say":"approve","update":{n}}}}}"#);
    let script = [
        format!("1m bob {}", words(r#""investigating""#)),
        format!("2m bob {}", words(r#""identified""#)),
        format!("3m ann {}", approve(2)),
        format!("4m ann {}", approve(1)),
    ];
    let told = play(&mut world, &script.join("\n"));
    assert!(told.contains("refused ann: update 2 went to the same readers since then"), "{told}");
    assert_eq!(letter(&world).talk.waiting().count(), 1, "it can only be taken back");
}

#[test]
fn the_press_hears_one_voice_by_telephone_too() {
    let mut plan = plan();
    plan.stakeholders.get_mut("partners").expect("they").kind =
        warroom::domain::words::StakeholderKind::Media;
    let mut world = World::under(plan);
    play(&mut world, BEGIN);
    let tell = |who: &str, to: &str| {
        format!(
            r#"2m {who} {{"do":"log-contact","incident":1,"stakeholder":"{to}","channel":"phone","text":"no word"}}"#
        )
    };
    let script = [
        r#"1m ann {"do":"assign-role","incident":1,"role":"spokesperson","person":"dana"}"#
            .to_owned(),
        tell("bob", "partners"),
        tell("bob", "support"),
        tell("dana", "partners"),
    ];
    let told = play(&mut world, &script.join("\n"));
    assert_eq!(told.matches("refused").count(), 1, "{told}");
    assert!(told.contains("refused bob: dana speaks to the press"), "{told}");
}

#[test]
fn one_reading_is_for_the_same_words_on_several_incidents_and_for_no_others() {
    let mut world = World::under(plan());
    play(&mut world, BEGIN);
    let second = r#"
        0m ann {"do":"open","title":"kafka lags","severity":"SEV2","services":["payments"],"declare":true}
        0m ann {"do":"take-command","incident":2}"#;
    play(&mut world, second);
    let public = draft("public", &["customers"], Some(30), r#","public":"investigating""#);
    let other = public.replacen(r#""incident":1"#, r#""incident":2"#, 1);
    play(&mut world, &format!("1m bob {public}\n1m bob {other}"));
    let like = letter(&world).talk.waiting().next().expect("one waits").draft.likeness();
    let approve = |incident: u32, like: &str| {
        format!(
            r#"{{"do":"talk","incident":{incident},"talk":{{"say":"approve","update":0,"like":"{like}"}}}}"#
        )
    };
    let refused = play(&mut world, &format!("2m ann {}", approve(1, "other words")));
    assert!(refused.contains("no update with those words waits on INC-1"), "{refused}");
    let told =
        play(&mut world, &format!("2m ann {}\n2m ann {}", approve(1, &like), approve(2, &like)));
    assert!(!told.contains("refused"), "{told}");
    for incident in world.engine.room.incidents.values() {
        assert_eq!(incident.talk.waiting().count(), 0, "{}", incident.id);
    }
}

#[test]
fn two_who_wrote_are_each_asked_to_look_at_what_the_other_wrote() {
    let mut plan = plan();
    plan.stakeholders.get_mut("support").expect("they").approval = Some(Approval::Other);
    let mut world = World::under(plan);
    play(&mut world, BEGIN);
    let words = draft("internal", &["support"], Some(30), "");
    let asks = |world: &World, login: &str| {
        let room = &world.engine.room;
        Row::with_dues(letter(world), &room.plan, room.at).asks(login)
    };
    play(&mut world, &format!("1m bob {words}"));
    assert!(!asks(&world, "bob") && asks(&world, "zoe"));
    play(&mut world, &format!("2m zoe {words}"));
    assert!(asks(&world, "bob") && asks(&world, "zoe"));
}
