//! The status page: what the public reads, and when it changes.

use warroom::domain::ids::IncidentId;
use warroom::domain::plan::Plan;
use warroom::domain::stakeholder::Stakeholder;
use warroom::domain::status::{ComponentStatus, Impact, IncidentStatus, Site, files, site};
use warroom::domain::timeline;
use warroom::proto::Reply;

use crate::features::paging_world;
use crate::features::talk::draft;
use crate::world::{START, World, play};

const BEGIN: &str = r#"
    0m ann {"do":"open","title":"db7 <b>secret</b>","severity":"SEV2","services":["payments","vault"],"declare":true}
    0m ann {"do":"take-command","incident":1}"#;

fn plan() -> Plan {
    let mut plan = paging_world::plan();
    let customers = r#"
        audience = "public"
        channels = ["status page"]
        from_severity = "SEV2"
        every_min = 20"#;
    let who: Stakeholder = toml::from_str(customers).expect("a stakeholder");
    plan.stakeholders = [("customers".to_owned(), who)].into();
    "Example Shop".clone_into(&mut plan.page.name);
    let services =
        "[payments]\npublic_name = \"Card payments\"\npublic_group = \"Shop\"\n[vault]\n";
    plan.services = toml::from_str(services).expect("services");
    plan
}

fn published(world: &World) -> Site {
    site(&world.engine.room)
}

/// A public update that bob writes and ann approves.
fn say(world: &mut World, minute: i64, number: u32, text: &str, more: &str) -> String {
    let next = START.plus((minute + 20) * 60_000);
    let end = if more.contains("\"last\":true") {
        String::new()
    } else {
        format!(r#","next_by":"{next}""#)
    };
    play(
        world,
        &format!(
            r#"{minute}m bob {{"do":"talk","incident":1,"talk":{{"say":"draft","audience":"public","title":"Card payments fail","to":["customers"],"words":[{{"language":"en","subject":"s","text":"{text}"}}]{end}{more}}}}}
               {minute}m ann {{"do":"talk","incident":1,"talk":{{"say":"approve","update":{number}}}}}"#
        ),
    )
}

#[test]
fn nothing_is_published_until_somebody_sends_it_there() {
    let mut world = World::under(plan());
    play(&mut world, BEGIN);
    play(
        &mut world,
        r#"1m bob {"do":"note","incident":1,"kind":"note","text":"it is the vault"}
           2m bob {"do":"set-phase","incident":1,"phase":"identified","reason":""}"#,
    );
    let site = published(&world);
    assert!(site.incidents.is_empty());
    assert_eq!(site.components.len(), 1, "only what has a public name");
    assert_eq!(site.components[0].name, "Card payments");
    assert_eq!(site.components[0].status, ComponentStatus::Operational);
}

#[test]
fn the_page_says_what_was_sent_and_nothing_else() {
    let mut world = World::under(plan());
    play(&mut world, BEGIN);
    let inside = r#","public":"investigating","components":{"vault":"major_outage"}"#;
    let told = say(&mut world, 2, 1, "One in ten fails.", inside);
    assert!(told.contains("'vault' is no component of the status page"), "{told}");
    let more = r#","public":"investigating","components":{"payments":"partial_outage"}"#;
    say(&mut world, 2, 1, "One in ten fails.", more);
    let site = published(&world);
    let incident = &site.incidents[0];
    assert_eq!((incident.name.as_str(), incident.impact), ("Card payments fail", Impact::Major));
    let said = "One in ten fails.\n\nNext update by 2026-11-23 13:42 UTC.";
    assert_eq!(incident.updates[0].body, said);
    assert_eq!(incident.components, ["c1"], "what we call it is ours: {incident:?}");
    assert_eq!(site.components[0].id, "c1");
    assert_eq!(site.components[0].status, ComponentStatus::PartialOutage);
    for file in files(&site, world.now) {
        let text = String::from_utf8(file.bytes).expect("text");
        for inside in ["db7", "secret", "vault", "INC-1", "bob", "\"payments\""] {
            assert!(!text.contains(inside), "'{inside}' is in {}", file.path);
        }
    }
}

#[test]
fn the_end_makes_components_whole_and_stays_in_the_history() {
    let mut world = World::under(plan());
    play(&mut world, BEGIN);
    let more = r#","public":"investigating","components":{"payments":"major_outage"}"#;
    say(&mut world, 0, 1, "a", more);
    play(
        &mut world,
        r#"30m ann {"do":"resolve","incident":1,"reason":"fixed","evidence":"quiet"}"#,
    );
    assert_eq!(published(&world).incidents[0].status, IncidentStatus::Investigating, "by hand");
    say(&mut world, 31, 2, "It is over.", r#","last":true,"public":"resolved""#);
    play(&mut world, r#"32m ann {"do":"close","incident":1,"note":""}"#);
    assert!(world.engine.room.incidents.is_empty(), "it left the room");
    let site = published(&world);
    assert_eq!(site.incidents[0].status, IncidentStatus::Resolved);
    assert_eq!(site.components[0].status, ComponentStatus::Operational);
    let down = &site.components[0].downtime[0];
    assert_eq!(down.until.map(|until| (until.since(down.from) + 30_000) / 60_000), Some(31));
    world.restart();
    assert_eq!(published(&world), site, "the same after a kill");
}

#[test]
fn nobody_is_left_at_investigating_by_a_merge() {
    let mut world = World::under(plan());
    play(&mut world, BEGIN);
    say(&mut world, 0, 1, "a", r#","public":"investigating""#);
    play(
        &mut world,
        r#"1m ann {"do":"open","title":"the cause","severity":"SEV2","declare":true}
           2m ann {"do":"merge","incident":1,"into":2}"#,
    );
    let site = published(&world);
    assert_eq!(site.incidents.len(), 1);
    assert_eq!(site.incidents[0].id, "i1", "where people look for it");
    play(
        &mut world,
        &format!(
            r#"3m bob {{"do":"talk","incident":2,"talk":{{"say":"draft","audience":"public","title":"Card payments fail","to":["customers"],"words":[{{"language":"en","subject":"s","text":"b"}}],"next_by":"{}","public":"identified"}}}}
               3m ann {{"do":"talk","incident":2,"talk":{{"say":"approve","update":1,"force":"alone"}}}}"#,
            START.plus(23 * 60_000)
        ),
    );
    let site = published(&world);
    let (id, words) = (&site.incidents[0].id, site.incidents[0].updates.len());
    assert_eq!((site.incidents.len(), id.as_str(), words), (1, "i1", 2), "the next word as well");
}

#[test]
fn maintenance_is_published_only_in_its_own_words() {
    let mut world = World::under(plan());
    let (from, until) = (START.plus(60_000), START.plus(3_600_000));
    play(
        &mut world,
        &format!(
            r#"0m ann {{"do":"plan-window","services":["payments"],"from":"{from}","until":"{until}","reason":"swap db7"}}
               0m ann {{"do":"plan-window","services":["payments"],"from":"{from}","until":"{until}","reason":"swap db8","public":"Faster card payments"}}
               2m clock"#
        ),
    );
    let site = published(&world);
    assert!(site.maintenances.is_empty(), "nobody looked at it: {site:?}");
    assert_eq!(site.components[0].status, ComponentStatus::Operational);
    let publish =
        |who: &str, more: &str| format!(r#"3m {who} {{"do":"publish-window","window":2{more}}}"#);
    let told = play(&mut world, &publish("ann", ""));
    assert!(told.contains("you wrote what the public is to read of maintenance 2"), "{told}");
    assert!(play(&mut world, &publish("bob", "").replace(":2", ":1")).contains("nothing about"));
    play(&mut world, &publish("bob", ""));
    world.restart();
    let site = published(&world);
    assert_eq!(site.maintenances.len(), 1);
    assert_eq!(site.maintenances[0].name, "Faster card payments");
    assert_eq!(site.components[0].status, ComponentStatus::UnderMaintenance);
    assert!(play(&mut world, &publish("bob", "")).contains("nothing about maintenance window 2"));
    // Alone one says why.
    let mut world = World::under(plan());
    let window = format!(
        r#"0m ann {{"do":"plan-window","services":["payments"],"from":"{from}","until":"{until}","reason":"swap db8","public":"Faster"}}"#
    );
    let alone = publish("ann", r#","force":"nobody else is awake""#).replace(":2", ":1");
    play(&mut world, &format!("{window}\n{alone}"));
    assert_eq!(published(&world).maintenances.len(), 1);
}

#[test]
fn whoever_may_look_at_the_words_of_a_maintenance_hears_that_they_wait() {
    let mut world = World::under(plan());
    let (from, until) = (START.plus(120_000), START.plus(3_600_000));
    let window = format!(
        r#"0m ann {{"do":"plan-window","services":["payments"],"from":"{from}","until":"{until}","reason":"swap db8","public":"Faster card payments"}}"#
    );
    play(&mut world, &format!("{window}\n1m clock"));
    let told = |world: &World| -> Vec<String> {
        let of = |job: &warroom::keeper::turn::Job| {
            let (subject, text) = job.update.clone()?;
            Some(format!("{}: {subject}\n{text}", job.destination.to))
        };
        world.jobs.iter().filter_map(of).collect()
    };
    let first = told(&world);
    let subject = "fay: maintenance 1: what the public is to read waits for a second look";
    assert!(first.len() == 1 && first[0].starts_with(subject), "{first:?}");
    assert!(first[0].contains("Faster card payments"), "{first:?}");
    // It begins, and still nobody looked.
    play(&mut world, "1m answer fay mail accepted\n2m clock\n3m clock");
    assert_eq!(told(&world).len(), 2);
}

#[test]
fn a_merge_that_is_taken_back_gives_the_page_back_what_it_said() {
    let two = r#"
        0m ann {"do":"open","title":"the cause","severity":"SEV2","services":["payments"],"declare":true}
        0m ann {"do":"take-command","incident":2}"#;
    let merge = r#"{"do":"merge","incident":1,"into":2}"#;
    let back = r#"
        9m ann {"do":"unmerge","incident":1}"#;
    for both in [false, true] {
        let mut world = World::under(plan());
        play(&mut world, &format!("{BEGIN}{two}"));
        let more = r#","public":"identified","components":{"payments":"partial_outage"}"#;
        say(&mut world, 1, 1, "One in ten fails.", more);
        if both {
            let text = r#"2m bob {"do":"talk","incident":2,"talk":{"say":"draft","audience":"public","title":"Other","to":["customers"],"words":[{"language":"en","subject":"s","text":"t"}],"next_by":"2026-11-23T14:00:00Z","public":"investigating"}}
                2m ann {"do":"talk","incident":2,"talk":{"say":"approve","update":1}}"#;
            play(&mut world, text);
        }
        let before = published(&world);
        play(&mut world, "5m clock");
        let command = serde_json::from_str(merge).expect("a command");
        let (reply, _) = world.act("ann", command);
        let Reply::Done { note, .. } = reply else { panic!("{reply:?}") };
        let public = "THE STATUS PAGE SAYS of it: It is followed from now on as 'Other'.";
        assert_eq!(note.contains(public), both, "{note}");
        let merged = published(&world);
        assert_eq!(merged.components[0].status, ComponentStatus::PartialOutage, "it is not mended");
        play(&mut world, back);
        let after = published(&world);
        let words = |site: &Site| {
            let mut all: Vec<_> = site
                .incidents
                .iter()
                .map(|i| (i.id.clone(), i.name.clone(), i.status, i.updates.len(), i.resolved_at))
                .collect();
            all.sort_by(|a, b| a.0.cmp(&b.0));
            all
        };
        assert_eq!(words(&after), words(&before), "both published: {both}");
        assert_eq!(after.components[0].status, ComponentStatus::PartialOutage);
        world.restart();
        assert_eq!(published(&world), after);
    }
}

#[test]
fn what_ends_without_a_last_word_is_put_on_record_as_over_on_the_page_and_said() {
    let mut world = World::under(plan());
    play(&mut world, BEGIN);
    let public = draft("public", &["customers"], Some(20), r#","public":"investigating""#);
    let approve = r#"{"do":"talk","incident":1,"talk":{"say":"approve","update":1}}"#;
    let end = r#"{"do":"resolve","incident":1,"reason":"fixed","evidence":"quiet"}"#;
    play(&mut world, &format!("1m bob {public}\n1m ann {approve}\n2m ann {end}"));
    let close = serde_json::json!({"do":"close","incident":1,"note":"","silent":"nobody cares"});
    let (reply, events) = world.act("ann", serde_json::from_value(close).expect("a command"));
    let said = format!("{reply:?}");
    assert!(said.contains("THE STATUS PAGE SAYS of it: This incident is now resolved."), "{said}");
    let told: Vec<String> =
        events.iter().map(|event| timeline::entry(event, IncidentId(1)).text).collect();
    assert!(told.iter().any(|line| line.contains("resolved")), "{told:?}");
    assert!(published(&world).incidents[0].updates.last().is_some_and(|u| u.body.contains("now")));
}
