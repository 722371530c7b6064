//! The files of a site: their shape, and what hostile text does in them.
//!
//! Invariants:
//! - The shape that is checked is written down in a schema, key by key, not taken from the code.

use std::path::Path;

use serde_json::Value;

use super::tests_sample::{now, site};
use super::{ComponentStatus, File, Impact, Indicator, Site, files, indicator};

fn text(all: &[File], path: &str) -> String {
    let file = all.iter().find(|file| file.path == path).expect("a file of the site");
    String::from_utf8(file.bytes.clone()).expect("UTF-8")
}

fn json(all: &[File], path: &str) -> Value {
    serde_json::from_str(&text(all, path)).expect("JSON")
}

#[track_caller]
fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().expect("a list")
}

/// What the schema of `summary.json` finds wrong; formats are checked, not only noted.
fn violations(summary: &Value) -> Option<String> {
    let schema = include_str!("../../../assets/status/summary.schema.json");
    let schema = serde_json::from_str(schema).expect("a schema is JSON");
    let (mut schemas, mut compiler) = (boon::Schemas::new(), boon::Compiler::new());
    compiler.enable_format_assertions();
    compiler.add_resource("https://schema.test/summary", schema).expect("a schema");
    let index = compiler.compile("https://schema.test/summary", &mut schemas).expect("it is one");
    schemas.validate(summary, index).err().map(|error| error.to_string())
}

#[track_caller]
fn check_summary(summary: &Value) {
    assert_eq!(violations(summary), None, "{summary:#}");
}

#[test]
fn the_schema_refuses_what_clients_would_stumble_over() {
    let good = json(&files(&site(), now()), "summary.json");
    for (place, wrong) in [
        ("/page/updated_at", "yesterday"),
        ("/status/indicator", "maintenance"),
        ("/components/0/status", "broken"),
        ("/incidents/0/impact", "maintenance"),
        ("/incidents/0/resolved_at", "soon"),
        ("/incidents/0/incident_updates/0/status", "scheduled"),
        ("/scheduled_maintenances/0/impact", "minor"),
        ("/scheduled_maintenances/0/scheduled_until", ""),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(place).expect("it is there") = wrong.into();
        assert!(violations(&bad).is_some(), "{place}: {wrong}");
        let (parent, key) = place.rsplit_once('/').expect("a key");
        bad.pointer_mut(parent).and_then(Value::as_object_mut).expect("an object").remove(key);
        assert!(violations(&bad).is_some(), "{place} is missing");
    }
}

fn empty() -> Site {
    let mut site = site();
    (site.components, site.incidents, site.maintenances) = (Vec::new(), Vec::new(), Vec::new());
    site
}

#[test]
fn summary_has_the_shape_that_clients_know() {
    for site in [site(), empty()] {
        check_summary(&json(&files(&site, now()), "summary.json"));
    }
}

#[test]
fn each_file_has_its_part() {
    let all = files(&site(), now());
    let parts = [
        ("status.json", vec!["page", "status"]),
        ("components.json", vec!["components", "page"]),
        ("incidents.json", vec!["incidents", "page"]),
        ("incidents/unresolved.json", vec!["incidents", "page"]),
        ("scheduled-maintenances.json", vec!["page", "scheduled_maintenances"]),
        (
            "summary.json",
            vec!["components", "incidents", "page", "scheduled_maintenances", "status"],
        ),
    ];
    for (path, keys) in parts {
        let value = json(&all, path);
        let mut found: Vec<&str> =
            value.as_object().expect("an object").keys().map(String::as_str).collect();
        found.sort_unstable();
        assert_eq!(found, keys, "{path}");
    }
    let ids = |path: &str, key: &str| -> Vec<String> {
        list(&json(&all, path), key).iter().map(|one| one["id"].to_string()).collect()
    };
    assert_eq!(ids("incidents.json", "incidents"), ["\"INC-7\"", "\"INC-3\""], "newest first");
    assert_eq!(ids("incidents/unresolved.json", "incidents"), ["\"INC-7\""]);
    assert_eq!(ids("summary.json", "scheduled_maintenances"), ["\"m2\""], "what is ahead");
    assert_eq!(ids("scheduled-maintenances.json", "scheduled_maintenances").len(), 2);
}

#[test]
fn groups_stand_before_their_components_and_are_as_their_worst() {
    let all = files(&site(), now());
    let value = json(&all, "components.json");
    let rows: Vec<(bool, &str, u64)> = list(&value, "components")
        .iter()
        .map(|c| {
            let status = c["status"].as_str().expect("a word");
            (c["group"] == true, status, c["position"].as_u64().expect("a number"))
        })
        .collect();
    let expected = [
        (false, "degraded_performance", 1),
        (false, "operational", 2),
        (true, "partial_outage", 3),
        (false, "partial_outage", 4),
        (true, "major_outage", 5),
        (false, "under_maintenance", 6),
        (false, "major_outage", 7),
    ];
    assert_eq!(rows, expected);
}

#[test]
fn the_indicator_is_the_worst_of_components_and_open_incidents() {
    let mut site = site();
    assert_eq!(indicator(&site), (Indicator::Critical, "Major disruption"));
    site.components.iter_mut().for_each(|c| c.status = ComponentStatus::Operational);
    assert_eq!(indicator(&site).0, Indicator::Major, "the open incident");
    site.incidents.retain(|incident| !incident.status.is_open());
    assert_eq!(indicator(&site), (Indicator::None, "All systems operational"));
    site.components[0].status = ComponentStatus::UnderMaintenance;
    assert_eq!(indicator(&site), (Indicator::None, "Maintenance in progress"));
    site.incidents[0].impact = Impact::Critical;
    assert_eq!(indicator(&site).0, Indicator::None, "what is over does not count");
}

const HOSTILE: &str =
    "<script>alert(1)</script>\"'&]]>\r\nX: y \u{202e}evil\u{1b}[31m {{ 7*7 }}\u{0}";

/// A site in which every text is hostile.
fn hostile() -> Site {
    let mut site = site();
    site.page.name = HOSTILE.into();
    site.page.id = HOSTILE.into();
    for component in &mut site.components {
        component.name = HOSTILE.into();
        component.description = HOSTILE.into();
        component.group = component.group.as_ref().map(|group| format!("{group}{HOSTILE}"));
        component.id.push_str(HOSTILE);
    }
    for incident in &mut site.incidents {
        incident.name = HOSTILE.into();
        incident.id.push_str(HOSTILE);
        incident.components = site.components.iter().map(|c| c.id.clone()).collect();
        for update in &mut incident.updates {
            update.body = HOSTILE.into();
            update.id.push_str(HOSTILE);
        }
    }
    for maintenance in &mut site.maintenances {
        maintenance.name = HOSTILE.into();
        maintenance.body = HOSTILE.into();
        maintenance.id.push_str(HOSTILE);
    }
    site
}

#[test]
fn hostile_text_stays_text_in_every_file() {
    for url in ["https://status.example.org", "javascript:alert(1)", "https://x\"><script>"] {
        let mut site = hostile();
        site.page.url = url.into();
        let all = files(&site, now());
        check_summary(&json(&all, "summary.json"));
        for file in &all {
            let text = text(&all, file.path);
            for c in ['\u{202e}', '\u{1b}', '\u{0}', '\r'] {
                assert!(!text.contains(c), "{} holds {c:?}", file.path);
            }
            assert!(!text.contains("javascript:"), "{}", file.path);
            let is_markup = ["history.atom", "index.html"].contains(&file.path);
            assert!(!is_markup || !text.contains("<script"), "{}", file.path);
        }
        let html = text(&all, "index.html");
        assert_balanced(&html);
        assert_balanced(&text(&all, "history.atom"));
        assert!(html.contains("{{ 7*7 }}"), "braces are only text");
    }
}

/// Elements that have no end.
const VOID: [&str; 4] = ["meta", "link", "br", "?xml"];

/// Every element that begins ends, in order.
#[track_caller]
fn assert_balanced(markup: &str) {
    let mut open: Vec<&str> = Vec::new();
    for part in markup.split('<').skip(1) {
        let (tag, _) = part.split_once('>').expect("a tag ends");
        let name = tag.split([' ', '\n']).next().expect("a name");
        if let Some(name) = name.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "in order");
        } else if !VOID.contains(&name) && name != "!doctype" && !tag.ends_with('/') {
            open.push(name);
        }
    }
    assert_eq!(open, Vec::<&str>::new(), "all ended");
}

#[test]
fn the_page_is_laid_out_for_the_ear_too() {
    let html = text(&files(&site(), now()), "index.html");
    let levels: Vec<u8> = html
        .split("<h")
        .skip(1)
        .filter_map(|part| part.bytes().next().filter(u8::is_ascii_digit))
        .collect();
    assert_eq!(levels.first(), Some(&b'1'));
    assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1), "no heading is left out");
    for part in
        ["<html lang=\"en\">", "<main id=\"main\">", "<header>", "<footer>", "<title>Example"]
    {
        assert_eq!(html.matches(part).count(), 1, "{part}");
    }
    let ids: Vec<&str> =
        html.split(" id=\"").skip(1).filter_map(|part| part.split('"').next()).collect();
    let unique: std::collections::BTreeSet<&&str> = ids.iter().collect();
    assert_eq!(ids.len(), unique.len(), "no id is there twice");
    for words in ["Degraded performance", "Partial outage", "Under maintenance", "No incidents."] {
        assert!(html.contains(words), "{words}");
    }
    assert!(!html.contains("style=\"") && !html.contains("<script"), "the policy would block it");
}

#[test]
fn the_feed_has_what_a_reader_needs() {
    let feed = text(&files(&site(), now()), "history.atom");
    assert_balanced(&feed);
    for part in [
        "<id>urn:warroom:status:example</id>",
        "<updated>2026-11-25T12:10:00.000Z</updated>",
        "<author><name>Example</name></author>",
        "<link rel=\"self\" type=\"application/atom+xml\" \
         href=\"https://status.example.org/history.atom\"/>",
        "<id>urn:warroom:status:example:INC-7</id>",
        "href=\"https://status.example.org/#incident-INC-7\"",
        "&lt;p&gt;2026-11-25 13:10 CET: &lt;strong&gt;Identified&lt;/strong&gt;&lt;/p&gt;",
    ] {
        assert!(feed.contains(part), "{part} is not in\n{feed}");
    }
    let mut site = site();
    site.page.url = String::new();
    let local = text(&files(&site, now()), "history.atom");
    assert!(local.contains("<id>urn:warroom:status:example</id>") && !local.contains("<link"));
}

#[test]
fn the_same_site_gives_the_same_bytes() {
    assert_eq!(files(&site(), now()), files(&site(), now()));
}

/// Writes the sample, and the hostile one, below the folder that `WARROOM_STATUS_OUT` names, for a
/// browser and a checker of accessibility.
#[test]
fn the_sample_can_be_looked_at() {
    let Some(folder) = std::env::var_os("WARROOM_STATUS_OUT") else { return };
    for (name, site) in [("sample", site()), ("hostile", hostile()), ("empty", empty())] {
        for file in files(&site, now()) {
            let path = Path::new(&folder).join(name).join(file.path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(path, file.bytes).expect("a file");
        }
    }
}

#[test]
fn a_day_on_which_something_began_that_goes_on_does_not_say_no_incidents() {
    let mut site = site();
    for incident in &mut site.incidents {
        incident.created_at = now();
    }
    site.incidents.retain(|incident| incident.status.is_open());
    let html = text(&files(&site, now()), "index.html");
    let (_, past) = html.split_once("id=\"past\"").expect("what is over");
    let today = past.split("<h3").nth(1).expect("today");
    assert!(!today.contains("No incidents."), "{today}");
    for incident in &site.incidents {
        let link = format!("Goes on: <a href=\"#{}\">", super::json::incident_anchor(&incident.id));
        assert!(today.contains(&link), "{today}");
        assert!(html.contains(&format!("id=\"{}\"", super::json::incident_anchor(&incident.id))));
    }
    assert!(past.contains("No incidents."), "the days before were quiet");
}

#[test]
fn maintenance_that_was_called_off_is_not_called_completed() {
    let mut site = site();
    site.maintenances.truncate(1);
    let known = &mut site.maintenances[0];
    known.status = super::MaintenanceStatus::Completed;
    known.updated_at = now();
    known.scheduled_for = now().plus(crate::domain::time::DAY_MS);
    let html = text(&files(&site, now()), "index.html");
    let (_, past) = html.split_once("id=\"past\"").expect("what is over");
    let facts = past.split("class=\"facts\">").nth(1).expect("its facts");
    assert!(facts.starts_with("Maintenance · Called off"), "{facts}");
}

#[test]
fn a_day_on_which_something_went_on_since_the_day_before_does_not_say_no_incidents() {
    let mut site = site();
    let day = crate::domain::time::DAY_MS;
    site.incidents.truncate(1);
    let incident = &mut site.incidents[0];
    incident.status = super::IncidentStatus::Resolved;
    (incident.created_at, incident.resolved_at) = (now().plus(-3 * day), Some(now().plus(-day)));
    let html = text(&files(&site, now()), "index.html");
    let (_, past) = html.split_once("id=\"past\"").expect("what is over");
    let days: Vec<&str> = past.split("<h3").skip(1).collect();
    let anchor = super::json::incident_anchor(&site.incidents[0].id);
    for day in &days[1..3] {
        assert!(day.contains(&format!("<a href=\"#{anchor}\">")), "{day}");
        assert!(day.contains("Went on, since") && !day.contains("No incidents."), "{day}");
    }
    assert!(days[0].contains("No incidents."), "it was over: {}", days[0]);
}

#[test]
fn maintenance_that_is_over_stays_on_the_page_and_in_the_feed() {
    let mut site = site();
    site.maintenances[0].updated_at =
        site.maintenances[0].scheduled_for.plus(20 * crate::domain::time::MINUTE_MS);
    let all = files(&site, now());
    let html = text(&all, "index.html");
    let (ahead, past) = html.split_once("id=\"past\"").expect("what is over");
    assert!(ahead.contains("id=\"maintenance-m2\"") && !past.contains("maintenance-m2"));
    assert!(past.contains("id=\"maintenance-m1\""), "a link to it leads somewhere: {past}");
    assert!(past.contains("Maintenance · Completed · affects The web"), "{past}");
    let feed = text(&all, "history.atom");
    assert!(feed.contains("<id>urn:warroom:status:example:m1</id>"), "{feed}");
    let span = "Completed: 2026-11-23 13:30 CET to 2026-11-23 13:50 CET";
    assert!(feed.contains(span), "it ended earlier than was planned: {feed}");
}
