//! Histories from other systems: what is odd about their rows is told, with its line.

use crate::home::{Home, utf8};

#[test]
fn odd_rows_are_told_with_their_lines() {
    let home = Home::new();
    let file = home.path().join("odd.csv");
    let mapping = home.path().join("map.toml");
    std::fs::write(&mapping, "source = \"jira\"\nid = \"Key\"\nopened = \"Created\"\nresolved = \"Done\"\nseverity = \"Prio\"\n").expect("it");
    std::fs::write(&file, "Key,Created,Done,Prio\nA-1,2026-01-01 10:00,2026-01-01 11:00,2\nA-2,never,,3\nA-3,2026-01-02 10:00,,odd\nA-4,2026-01-03 10:00,2025-01-03 10:00,3\n").expect("it");
    let args = [
        "import",
        "--from",
        "csv",
        "--mapping",
        &mapping.display().to_string(),
        &file.display().to_string(),
    ];
    let out = home.run(&args);
    let (said, odd) = (utf8(&out.stdout), utf8(&out.stderr));
    assert!(said.starts_with("4 rows: 3 incidents imported"), "{said}");
    assert!(odd.contains("odd.csv:3: A-2: 'never' in 'Created' is no time; left out"), "{odd}");
    assert!(odd.contains("odd.csv:5: A-4: resolved 2025-01-03T10:00"), "{odd}");
    assert!(odd.contains("is before it was opened; left out"), "{odd}");
    assert!(odd.contains("odd.csv:4: A-3: 'odd' is not mapped"), "{odd}");
}

#[test]
fn rows_of_windows_have_their_lines_and_a_later_export_is_told() {
    let home = Home::new();
    let file = home.path().join("log.csv");
    let head = "number,incident_state,opened_at,sys_updated_at,resolved_at,closed_at,priority,category,\
                assignment_group,assigned_to,reopen_count";
    let row = |state: &str, updated: &str, resolved: &str| {
        format!("INC1,{state},2020-01-01 10:00,{updated},{resolved},,3,net,ops,ann,0")
    };
    let import = |rows: &[String]| {
        let text = [&[head.to_owned()], rows].concat().join("\r\n") + "\r\n";
        std::fs::write(&file, text).expect("the file");
        let out = home.run(&["import", "--from", "servicenow", &file.display().to_string()]);
        (utf8(&out.stdout), utf8(&out.stderr))
    };
    let first = row("New", "2020-01-01 10:00", "");
    let bad = row("Teleported", "2999-01-01 10:00", "2019-01-01 10:00") + ",one,more";
    let (_, odd) = import(&[first.clone(), bad.clone()]);
    for what in [
        "log.csv:3: INC1: the state 'Teleported' is not known",
        "log.csv:3: 13 columns, and the header has 11",
        "log.csv:3: INC1: resolved at 2019-01-01T10:00:00.000Z, before it was opened",
        "log.csv:3: INC1: 2999-01-01T10:00:00.000Z lies ahead",
    ] {
        assert!(odd.contains(what), "{what}: {odd}");
    }
    let (said, odd) = import(&[first.clone(), bad.clone()]);
    assert!(said.contains("0 incidents imported, 1 were here already"), "{said}");
    assert!(!odd.contains("another history"), "the same file again: {odd}");
    let (_, odd) = import(&[first, bad, row("Closed", "2020-01-02 10:00", "2020-01-02 09:00")]);
    assert!(odd.contains("servicenow:INC1 is here as INC-1 with another history"), "{odd}");
}
