//! The house: what a machine can check about the tree, a machine checks.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Lines of one file, and of one function.
const FILE_LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 70;

/// Each layer may import those after it, and none before it; layers of one rank may not import
/// each other.
const RANKS: &[&[&str]] = &[
    &["cli"],
    &["tui", "keeper"],
    &["client"],
    &["ingest", "notify", "store"],
    &["proto", "config", "clock"],
    &["render"],
    &["domain"],
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files(dir: &str, ending: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut open = vec![root().join(dir)];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(&dir).expect("a readable folder") {
            let path = entry.expect("a readable entry").path();
            if path.is_dir() {
                open.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                let name = path
                    .strip_prefix(root())
                    .expect("below the root")
                    .to_string_lossy()
                    .into_owned();
                found.push((name, fs::read_to_string(&path).expect("a text file")));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn files_and_functions_stay_small() {
    let mut long = Vec::new();
    for (name, text) in files("src", ".rs").into_iter().chain(files("tests", ".rs")) {
        let lines: Vec<&str> = text.lines().collect();
        if lines.len() > FILE_LINES_MAX {
            long.push(format!("{name} has {} lines", lines.len()));
        }
        for (index, line) in lines.iter().enumerate() {
            let Some((indent, title)) = function_at(line) else { continue };
            let end = lines[index..].iter().position(|l| l.starts_with(&format!("{indent}}}")));
            let length = end.map_or(1, |end| end + 1);
            if length > FUNCTION_LINES_MAX && !line.trim_end().ends_with(';') {
                long.push(format!("{name}:{} {title} has {length} lines", index + 1));
            }
        }
    }
    assert!(
        long.is_empty(),
        "longer than {FILE_LINES_MAX} / {FUNCTION_LINES_MAX}:\n{}",
        long.join("\n")
    );
}

fn function_at(line: &str) -> Option<(&str, &str)> {
    let rest = line.trim_start();
    let indent = &line[..line.len() - rest.len()];
    let at = rest.find("fn ")?;
    let before = &rest[..at];
    let is_function = before.split_whitespace().all(|word| {
        matches!(
            word,
            "pub" | "async" | "const" | "pub(crate)" | "pub(super)" | "pub(in" | "crate)"
        )
    });
    is_function.then(|| (indent, rest[at + 3..].split(['(', '<']).next().unwrap_or_default()))
}

#[test]
fn every_file_says_what_it_is_for() {
    for (name, text) in files("src", ".rs").into_iter().chain(files("tests", ".rs")) {
        let first = text.lines().next().unwrap_or_default();
        let is_said = first.starts_with("//! ") || first.starts_with("#![doc = include_str!");
        assert!(is_said, "{name} does not begin by saying what it is for");
    }
}

#[test]
fn imports_point_downwards() {
    let rank_of = |layer: &str| RANKS.iter().position(|rank| rank.contains(&layer));
    let mut wrong = Vec::new();
    for (name, text) in files("src", ".rs") {
        let layer =
            name.trim_start_matches("src/").split(['/', '.']).next().unwrap_or_default().to_owned();
        let Some(own) = rank_of(&layer) else { continue };
        for (index, line) in text.lines().enumerate() {
            for part in line.split("crate::").skip(1) {
                let other = part.split([':', ';', '{', ' ', ',', ')']).next().unwrap_or_default();
                let Some(rank) = rank_of(other).filter(|_| other != layer) else { continue };
                if rank <= own {
                    wrong.push(format!("{name}:{} reaches up to `{other}`", index + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_banned_does_not_occur() {
    let banned = [
        ("unsafe ", "is forbidden"),
        ("todo!(", "finish it"),
        ("unimplemented!(", "finish it"),
        (".unwrap()", "say what holds with expect, or handle it"),
        ("#[ignore", "a test runs or is not there"),
        ("#[allow(", "say why with expect"),
    ];
    let mut wrong = Vec::new();
    for (name, text) in files("src", ".rs").into_iter().chain(files("tests", ".rs")) {
        if name == "tests/it/tidy.rs" {
            continue;
        }
        for (word, why) in banned {
            for (index, line) in text.lines().enumerate() {
                let is_comment = line.trim_start().starts_with("//");
                if line.contains(word) && !is_comment {
                    wrong.push(format!("{name}:{}: `{word}`: {why}", index + 1));
                }
            }
        }
        let is_store = name.starts_with("src/store/");
        if text.contains("thread::sleep") && !is_store {
            wrong.push(format!("{name}: waits for a duration; wait for a condition"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn evolve_has_no_catch_all() {
    for file in ["src/domain/room.rs", "src/domain/room_changes.rs", "src/domain/incident.rs"] {
        let text = fs::read_to_string(root().join(file)).expect("a text file");
        assert!(
            !text.contains("_ => "),
            "{file}: a new fact must not compile until somebody says what it does"
        );
    }
}

#[test]
fn the_top_level_holds_what_it_may() {
    let listed = Command::new("git").args(["ls-files"]).current_dir(root()).output();
    let Ok(listed) = listed.map(|out| String::from_utf8_lossy(&out.stdout).into_owned()) else {
        return;
    };
    let top: BTreeSet<&str> = listed.lines().filter_map(|l| l.split('/').next()).collect();
    let allowed = ["Cargo.toml", "Cargo.lock", "src", "assets", "tests", "README.md"];
    for entry in top {
        assert!(
            entry.starts_with('.') || allowed.contains(&entry),
            "the top level holds '{entry}'"
        );
    }
}

#[test]
fn every_asset_is_used() {
    let mut texts = String::new();
    for (_, text) in files("src", ".rs").into_iter().chain(files("tests", ".rs")) {
        texts.push_str(&text);
    }
    for file in ["README.md", "src/ARCHITECTURE.md"] {
        texts.push_str(&fs::read_to_string(root().join(file)).unwrap_or_default());
    }
    for (name, _) in files("assets", "") {
        let file = name.rsplit('/').next().unwrap_or_default();
        assert!(texts.contains(file), "{name} is not used or mentioned anywhere");
    }
}

#[test]
fn what_the_documents_name_exists() {
    for document in ["README.md", "src/ARCHITECTURE.md"] {
        let text = fs::read_to_string(root().join(document)).expect("the document");
        for word in text.split('`').skip(1).step_by(2) {
            let is_path = ["src/", "assets/", "tests/", ".ci/"].iter().any(|p| word.starts_with(p));
            if is_path && !word.contains(['*', ' ', '<', '…']) {
                let path = word.split(':').next().unwrap_or(word);
                assert!(
                    root().join(path).exists(),
                    "{document} names `{word}`, which does not exist"
                );
            }
        }
    }
}

#[test]
fn subcommands_that_the_documents_name_exist() {
    let known: BTreeSet<String> =
        warroom::cli::command().get_subcommands().map(|c| c.get_name().to_owned()).collect();
    for document in ["README.md", "src/ARCHITECTURE.md"] {
        let text = fs::read_to_string(root().join(document)).expect("the document");
        for word in text.split('`').skip(1).step_by(2) {
            let mut words = word.split_whitespace();
            if words.next() != Some("warroom") {
                continue;
            }
            if let Some(verb) =
                words.next().filter(|v| v.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'))
            {
                let is_known = known.contains(verb) || verb.starts_with('-') || verb == "help";
                assert!(is_known, "{document} names `{word}`, and there is no such subcommand");
            }
        }
    }
}

#[test]
fn dependencies_come_from_one_place_and_under_known_licences() {
    let lock = fs::read_to_string(root().join("Cargo.lock")).expect("the lock file");
    let allowed_sources = lock
        .lines()
        .filter_map(|line| line.strip_prefix("source = "))
        .all(|source| source.starts_with("\"registry+"));
    assert!(allowed_sources, "a dependency comes from somewhere other than the registry");
    for banned in ["openssl-sys", "native-tls", "rusqlite", "git2"] {
        assert!(!lock.contains(&format!("name = \"{banned}\"")), "{banned} is banned");
    }
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let out = Command::new(cargo)
        .args([
            "metadata",
            "--format-version",
            "1",
            "--offline",
            "--locked",
            "--filter-platform",
            "x86_64-unknown-linux-gnu",
        ])
        .current_dir(root())
        .output()
        .expect("cargo metadata");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let meta: serde_json::Value = serde_json::from_slice(&out.stdout).expect("JSON");
    let allowed = [
        "MIT",
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "ISC",
        "Zlib",
        "Unicode-3.0",
        "0BSD",
        "Unlicense",
        "MPL-2.0",
        "CC0-1.0",
        "BSL-1.0",
        "WTFPL",
        "Apache-2.0 WITH LLVM-exception",
        "MIT-0",
    ];
    for package in meta["packages"].as_array().expect("packages") {
        let licence = package["license"].as_str().unwrap_or("none");
        let is_known = licence.split(" AND ").all(|part| {
            part.split(" OR ")
                .flat_map(|p| p.split('/'))
                .any(|choice| allowed.contains(&choice.trim().trim_matches(['(', ')'])))
        });
        assert!(is_known, "{} has the licence '{licence}'", package["name"]);
    }
}

/// Where real data lies beside a checkout; tests that need it say so when it is not there.
pub fn shared_data(path: &str) -> Option<PathBuf> {
    let found = root().join("../shared/data").join(path);
    if Path::exists(&found) {
        return Some(found);
    }
    eprintln!("skipped: {} is not there", found.display());
    None
}

/// Every argument of every subcommand says what it is.
#[test]
fn every_argument_has_words() {
    fn look(command: &clap::Command, path: &str, silent: &mut Vec<String>) {
        let path = format!("{path} {}", command.get_name());
        if command.get_about().is_none() {
            silent.push(path.clone());
        }
        for argument in command.get_arguments() {
            if argument.get_help().is_none_or(|help| help.to_string().trim().is_empty()) {
                silent.push(format!("{path} <{}>", argument.get_id()));
            }
        }
        for below in command.get_subcommands() {
            look(below, &path, silent);
        }
    }
    let mut silent = Vec::new();
    look(&warroom::cli::command(), "", &mut silent);
    assert!(silent.is_empty(), "these say nothing:\n{}", silent.join("\n"));
}
