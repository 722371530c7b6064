//! Templates: the shipped ones are sound, values stay data, and no template runs away.
//!
//! Invariants:
//! - Every shipped template is filled in, in text and in HTML.

use std::collections::BTreeSet;

use proptest::prelude::{ProptestConfig, prop_assert, proptest};

use super::check::sample;
use super::{Known, Output, RenderError, check, render, shipped};
use crate::domain::stakeholder::Audience;
use crate::domain::template::{Key, Language, SHIPPED, Stage, Template, Templates};
use crate::domain::text::is_hostile;

fn all() -> Templates {
    shipped().expect("the shipped templates read")
}

fn template(body: &str) -> Template {
    Template { subject: "{{ title }}".into(), body: body.into(), html: None }
}

fn key(audience: Audience, stage: Stage) -> Key {
    Key { audience, stage, language: Language::english() }
}

#[test]
fn every_audience_and_stage_has_a_sound_template_in_two_languages() {
    let all = all();
    assert_eq!(all.0.len(), Audience::ALL.len() * Stage::ALL.len() * 2);
    let languages: BTreeSet<&str> = all.0.keys().map(|key| key.language.word()).collect();
    assert_eq!(languages, BTreeSet::from(SHIPPED), "as they are named where plans are checked");
    let wrong: Vec<String> = all.0.iter().flat_map(|(key, one)| check(key, one)).collect();
    assert_eq!(wrong, Vec::<String>::new());
}

#[track_caller]
fn check_public(stage: Stage, change: impl FnOnce(&mut Known), expected: &str) {
    let all = all();
    let (_, template) =
        all.find(Audience::Public, stage, &Language::english()).expect("a template");
    let mut known = sample(stage);
    change(&mut known);
    let message = render(template, &known, Output::Text).expect("it fills in");
    assert_eq!(message.body, expected);
}

#[test]
fn the_public_hears_first_that_it_is_known_and_then_what() {
    check_public(
        Stage::Investigating,
        |known| {
            known.is_first = true;
            (known.what, known.impact, known.action) = (None, None, None);
        },
        "We are aware of a problem with payments, checkout and are looking into it.\n\
         We will say which parts and which customers are affected as soon as we know.\n\n\
         Next update by 2026-11-25 13:50 CET.\n",
    );
    check_public(
        Stage::Investigating,
        |_| {},
        "We are still looking into a problem with payments, checkout.\n\
         Some card payments are declined.\n\
         About one customer in ten cannot pay by card in the EU.\n\
         Traffic is being moved to the second provider.\n\n\
         Next update by 2026-11-25 13:50 CET.\n",
    );
    check_public(
        Stage::Resolved,
        |_| {},
        "Full recovery of payments, checkout is confirmed.\n\
         It began at 2026-11-25 12:30 CET and lasted 1h.\n\
         Some card payments are declined.\n\n\
         Data: No data was lost.\nLingering impact: Nothing remains to be done.\n\n\
         This is the last update.\n",
    );
}

#[test]
fn a_language_that_is_missing_becomes_english() {
    let all = all();
    let french = Language::try_from("fr".to_owned()).expect("a language");
    let (found, _) = all.find(Audience::Public, Stage::Resolved, &french).expect("a template");
    assert_eq!(found.language, Language::english());
    assert!(Language::try_from("../x".to_owned()).is_err());
}

#[test]
fn the_last_word_cannot_leave_out_whether_data_was_lost() {
    for (key, template) in all().0.iter().filter(|(key, _)| key.stage == Stage::Resolved) {
        let known = Known { data_loss: None, ..sample(Stage::Resolved) };
        let error = render(template, &known, Output::Text).expect_err("it is not known");
        let expected = RenderError::Missing { part: "body", name: "data_loss".into() };
        assert_eq!(error, expected, "{key:?}");
    }
}

const HOSTILE: [&str; 6] = [
    "{{ 7*7 }}",
    "{% for x in services %}{{ x }}{% endfor %}",
    "<script>alert(1)</script>",
    "a\r\nBcc: everybody@example.org",
    "\u{202e}txt.exe\u{1b}[31m",
    "\"'&#39; {# hidden #}",
];

#[test]
fn values_are_data_in_every_template() {
    for text in HOSTILE {
        for (key, template) in all().0 {
            let mut known = sample(key.stage);
            known.title = text.into();
            known.services = vec![text.into()];
            known.what = Some(text.into());
            known.author = text.into();
            let plain = render(&template, &known, Output::Text).expect("it fills in");
            let html = render(&template, &known, Output::Html).expect("it fills in");
            for message in [&plain, &html] {
                assert!(!message.subject.chars().any(is_hostile), "{:?}", message.subject);
                assert!(!message.body.chars().any(|c| c != '\n' && is_hostile(c)), "{text:?}");
            }
            assert!(!html.body.contains("<script"), "{}", html.body);
            assert!(!text.contains("{{") || plain.subject.contains(text), "it stays as it is");
        }
    }
}

#[test]
fn html_of_its_own_escapes_its_values() {
    let own = Template { html: Some("<p>{{ title }}</p>".into()), ..template("x") };
    let known = Known { title: "<b>&\"'".into(), ..sample(Stage::Identified) };
    let message = render(&own, &known, Output::Html).expect("it fills in");
    assert_eq!(message.body, "<p>&lt;b&gt;&amp;&quot;&#x27;</p>");
    assert_eq!(message.subject, "<b>&\"'", "a subject is plain text");
    let wrong = check(&key(Audience::Public, Stage::Identified), &own);
    assert!(wrong.iter().any(|words| words.contains("the html is never sent")), "{wrong:?}");
}

#[track_caller]
fn check_broken(body: &str, expected: &str) {
    let error = render(&template(body), &sample(Stage::Identified), Output::Text);
    let words = error.expect_err("it cannot be filled in").to_string();
    assert!(words.contains(expected), "{words}");
}

#[test]
fn a_template_that_runs_away_is_stopped() {
    let mut nested = String::from("x");
    for name in ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p"] {
        nested = format!("{{% for {name} in services %}}{nested}{{% endfor %}}");
    }
    check_broken(&nested, "too many steps");
    check_broken("{% for a in title * 3000 %}{% endfor %}", "too many steps");
    check_broken("{{ title * 500000 }}", "too many steps");
    check_broken("{{ title * 9000 }}", "longer than");
    check_broken("{{ title * 500000000 }}", "too many steps");
    check_broken(&"x".repeat(40_000), "longer than");
    check_broken(&"{% if is_first %}".repeat(1_500), "is no template");
    check_broken(&format!("{{{{ {}", "(".repeat(30_000)), "is no template");
}

#[test]
fn a_template_reaches_nothing_outside() {
    for tag in ["include 'x'", "set x = 1", "import 'x' as y", "extends 'x'", "macro x()", "raw"] {
        check_broken(&format!("{{%- {tag} %}}"), "is not allowed");
    }
    for body in ["{{ range(9) }}", "{{ debug() }}", "{{ title | safe }}", "{{ secret }}"] {
        check_broken(body, "is no template");
    }
}

#[track_caller]
fn check_complaint(audience: Audience, stage: Stage, body: &str, expected: &str) {
    let wrong = check(&key(audience, stage), &template(body));
    assert!(wrong.iter().any(|words| words.contains(expected)), "{expected} is not in {wrong:?}");
}

#[test]
fn what_is_wrong_is_said_when_the_plan_is_adopted() {
    use Stage::{Identified, Investigating, Resolved};
    let table = [
        (Audience::Internal, Identified, "{{ titel }} {{ next_update }}", "names 'titel'"),
        (Audience::Internal, Identified, "{% if x %}", "is no template"),
        (Audience::Internal, Identified, "It is known.", "when the next update comes"),
        (Audience::Internal, Investigating, "{{ what }} {{ next_update }}", "needs 'what'"),
        (Audience::Internal, Resolved, "Over. {{ lingering }}", "whether data was lost"),
        (Audience::Internal, Resolved, "Over. {{ data_loss }}", "what remains"),
        (Audience::Public, Identified, "An outage. {{ next_update }}", "speaks of an outage"),
        (Audience::Public, Identified, " ", "says nothing"),
    ];
    for (audience, stage, body, expected) in table {
        check_complaint(audience, stage, body, expected);
    }
    let loud = "{% if is_total %}An outage.{% endif %} {{ next_update }}";
    assert_eq!(check(&key(Audience::Public, Identified), &template(loud)), Vec::<String>::new());
}

#[test]
fn a_key_that_is_misspelt_is_refused() {
    let text = include_str!("../../assets/templates/public-en.toml");
    let mut all = Templates::default();
    let error = all.add("x.toml", &text.replace("subject", "subjekt")).expect_err("misspelt");
    assert!(error.to_string().contains("unknown field `subjekt`"), "{error}");
}

proptest! {
    // Each case fills every template in.
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_value_breaks_a_shipped_template(text in "\\PC{0,80}|.{0,80}", other in ".{0,40}") {
        for (key, template) in all().0 {
            let mut known = sample(key.stage);
            known.title.clone_from(&text);
            known.what = Some(other.clone());
            known.services = vec![other.clone(), text.clone()];
            let message = render(&template, &known, Output::Html).expect("it fills in");
            prop_assert!(!message.subject.contains(['\n', '\r']));
            let tags = message.body.replace("<p>", "").replace("</p>", "").replace("<br>", "");
            prop_assert!(!tags.contains('<'), "{tags}");
        }
    }

    #[test]
    fn no_text_as_a_template_panics(
        body in "(\\{\\{|\\}\\}|\\{%|%\\}|if|for|in|title|services|[(|)~*.'0-9 ]){0,40}"
    ) {
        let _message = render(&template(&body), &sample(Stage::Identified), Output::Html);
        let _wrong = check(&key(Audience::Public, Stage::Identified), &template(&body));
    }
}
