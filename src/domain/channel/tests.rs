//! What a plan may say about a channel, and what it may not.

use std::collections::BTreeMap;

use super::{Channel, TIMEOUT_S};

fn read(toml: &str) -> Result<Channel, String> {
    toml::from_str(toml).map_err(|e| e.to_string())
}

#[track_caller]
fn check(toml: &str, expected: &[&str]) {
    let channel = read(toml).expect("a channel");
    let found = channel.check("c");
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for (words, part) in found.iter().zip(expected) {
        assert!(words.starts_with("channel 'c': "), "{words}");
        assert!(words.contains(part), "{words}");
    }
    let json = serde_json::to_string(&channel).expect("JSON");
    assert_eq!(serde_json::from_str::<Channel>(&json).expect("the same"), channel);
    let text = toml::to_string(&channel).expect("TOML");
    assert_eq!(read(&text), Ok(channel));
}

const MAIL: &str = "kind = 'smtp'\nserver = 'mail.example.org:587'\nfrom = 'warroom@example.org'\n";
const HOOK: &str = "kind = 'webhook'\nurl = 'https://hooks.example.org/x/{address}?y=1'\n";

#[test]
fn good_channels_have_no_mistakes_and_survive_a_round_trip() {
    check(MAIL, &[]);
    check(&format!("{MAIL}user = 'u'\npassword = 'env:PW'\ntls = 'tls'"), &[]);
    check(HOOK, &[]);
    check("kind = 'webhook'\nurl = 'env:HOOK'\nformat = 'slack'", &[]);
    check("kind = 'webhook'\nurl = 'http://[::1]:8080/'\nformat = 'ntfy'", &[]);
    check("kind = 'program'\nargv = ['/usr/bin/sms', '--to={address}']", &[]);
    check("kind = 'file'\npath = 'pages/all.jsonl'", &[]);
    check("kind = 'terminal'", &[]);
    let Ok(Channel::Smtp(smtp)) = read(MAIL) else { unreachable!("it is mail") };
    assert_eq!(smtp.timeout_s, TIMEOUT_S);
}

#[test]
fn mistakes_are_said_in_words() {
    check(&MAIL.replace(":587", ""), &["is not host:port"]);
    check(&MAIL.replace("warroom@", "warroom"), &["from: "]);
    check(&format!("{MAIL}user = 'u'"), &["go together"]);
    check(&format!("{MAIL}tls = 'none'\nuser = 'u'\npassword = 'env:PW'"), &["in the clear"]);
    check(&format!("{MAIL}timeout_s = 61\nca_file = 'x'"), &["ca_file", "timeout_s must be 1"]);
    check("kind = 'webhook'\nurl = 'ftp://x'", &["must begin with"]);
    check("kind = 'webhook'\nurl = 'https://u:p@x/'", &["password"]);
    check("kind = 'webhook'\nurl = 'https://x:y/'", &["port"]);
    check("kind = 'webhook'\nurl = 'https://x/{name}'", &["must be encoded"]);
    check(&format!("{HOOK}headers = {{ Authorization = 'Bearer x' }}"), &["file:/absolute"]);
    check(&format!("{HOOK}headers = {{ Host = 'x' }}"), &["itself"]);
    check(&format!("{HOOK}headers = {{ \"X\\r\\nY\" = 'x' }}"), &["not a header's name"]);
    check(&format!("{HOOK}headers = {{ X = \"a\\r\\nb\" }}"), &["one line"]);
    check("kind = 'webhook'\nurl = 'http://x.org/'\nheaders = { X = 'env:T' }", &["in the clear"]);
    check("kind = 'program'\nargv = []", &["empty"]);
    check("kind = 'program'\nargv = ['{address}']\noutput_kib = 0", &["begin with", "output_kib"]);
    check("kind = 'program'\nargv = ['bin/sms']", &["absolute"]);
    check("kind = 'file'\npath = '../x.jsonl'", &["below the home"]);
    check("kind = 'file'\npath = '/etc/x.jsonl'", &["below the home"]);
    check("kind = 'file'\npath = 'warroom.toml'", &[".jsonl"]);
}

#[test]
fn what_is_unknown_or_literal_is_not_read() {
    for (toml, words) in [
        (format!("{MAIL}colour = 'red'"), "unknown field"),
        (format!("{MAIL}user = 'u'\npassword = 'hunter2'"), "file:/absolute/path or env:NAME"),
        (format!("{HOOK}secrets = ['hunter2']"), "file:/absolute/path or env:NAME"),
        ("kind = 'pigeon'".to_owned(), "unknown variant"),
        ("kind = 'terminal'\nbell = 'loud'".to_owned(), "unknown field"),
    ] {
        let refused = read(&toml).expect_err("refused");
        assert!(refused.contains(words), "{refused}");
        assert!(!refused.contains("hunter2"), "{refused}");
    }
}

#[test]
fn a_refused_plan_does_not_repeat_a_secret() {
    for value in ["'hunter2'", "['hunter2']", "{ x = 'hunter2' }", "1234567", "12.34567", "true"] {
        for toml in [
            format!("[channels.m]\n{MAIL}user = 'u'\npassword = {value}"),
            format!("[channels.h]\n{HOOK}secrets = [{value}]"),
        ] {
            type Plan = BTreeMap<String, BTreeMap<String, Channel>>;
            let refused = toml::from_str::<Plan>(&toml).expect_err("refused").to_string();
            let is_told = ["hunter2", "1234567", "12.34567"].iter().any(|s| refused.contains(s));
            assert!(!is_told, "{refused}");
        }
    }
}

#[test]
fn an_address_is_checked_by_the_kind_of_channel() {
    let mail = read(MAIL).expect("mail");
    assert_eq!(mail.check_address("anna@example.org"), Ok(()));
    assert!(mail.check_address("anna@example.org\r\nRCPT TO:<eve@example.net>").is_err());
    let program = read("kind = 'program'\nargv = ['sms', '{address}']").expect("a program");
    assert_eq!(program.check_address("+49 170 1234567"), Ok(()));
    assert!(program.check_address("-o/tmp/x").is_err());
    let hook = read(HOOK).expect("a webhook");
    assert!(hook.check_address("").is_err());
    assert!(hook.check_address("a\u{7}").is_err());
}
