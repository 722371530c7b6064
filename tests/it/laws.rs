//! Laws: what holds for every input.

use proptest::prelude::*;

use warroom::client::backoff;
use warroom::domain::ids::IncidentId;
use warroom::domain::plan::glob;
use warroom::domain::text::hex;
use warroom::domain::text::{fit, is_hostile, visible, visible_lines};
use warroom::domain::time::Timestamp;
use warroom::ingest::{alertmanager, generic, pagerduty};
use warroom::proto::frame::{Frames, encode};
use warroom::proto::{Ask, ClientMsg};
use warroom::store::batch::{Batch, Head, unhex, unpack};
use warroom::tui::view::wrap;

proptest! {
    #[test]
    fn times_print_and_parse_to_themselves(ms in -60_000_000_000_000_i64..200_000_000_000_000) {
        prop_assert_eq!(Timestamp(ms).to_string().parse(), Ok(Timestamp(ms)));
    }

    #[test]
    fn times_read_like_the_library_writes_them(ms in -60_000_000_000_000_i64..200_000_000_000_000) {
        let theirs = Timestamp(ms).utc().to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
        prop_assert_eq!(Timestamp(ms).to_string(), theirs);
    }

    #[test]
    fn incident_ids_print_and_parse_to_themselves(n in any::<u32>()) {
        prop_assert_eq!(IncidentId(n).to_string().parse(), Ok(IncidentId(n)));
    }

    #[test]
    fn what_is_shown_never_drives_a_terminal(text in any::<String>()) {
        prop_assert!(!visible(&text).chars().any(is_hostile));
        prop_assert!(!visible_lines(&text).chars().any(|c| c != '\n' && is_hostile(c)));
    }

    #[test]
    fn fitting_and_wrapping_keep_the_width(text in any::<String>(), columns in 1_usize..60) {
        use unicode_width::UnicodeWidthStr as _;
        let shown = visible(&text);
        prop_assert!(fit(&shown, columns).width() <= columns.max(1));
        for line in wrap(&text, columns.max(2)) {
            prop_assert!(line.width() <= columns.max(2), "{line:?}");
        }
    }

    #[test]
    fn frames_survive_any_cutting(queries in prop::collection::vec(any::<String>(), 1..5), cuts in prop::collection::vec(1_usize..40, 1..50)) {
        let messages: Vec<ClientMsg> = queries
            .into_iter()
            .map(|query| ClientMsg::Request { id: warroom::client::fresh_id(), ask: Ask::Search { query, limit: 1 } })
            .collect();
        let bytes: Vec<u8> = messages.iter().flat_map(encode).collect();
        let mut frames = Frames::default();
        let mut back: Vec<ClientMsg> = Vec::new();
        let mut rest = bytes.as_slice();
        for cut in cuts.iter().cycle() {
            let (piece, tail) = rest.split_at((*cut).min(rest.len()));
            frames.push(piece);
            while let Some(message) = frames.take().expect("sound frames") {
                back.push(message);
            }
            rest = tail;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(back, messages);
        prop_assert!(!frames.is_torn());
    }

    #[test]
    fn packs_give_back_what_was_put_in(events in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..5_000), 1..40)) {
        let lines = events.iter().map(|json| (json.clone(), Vec::new()));
        let batch = Batch::from_lines(Head::default(), lines);
        let mut back = Vec::new();
        for pack in &batch.packs {
            unpack(pack.first, &pack.bytes, &mut |event| {
                back.push(event.json.to_vec());
                true
            }).expect("sound packs");
        }
        prop_assert_eq!(back, events);
    }

    #[test]
    fn hashes_print_and_parse_to_themselves(bytes in any::<[u8; 32]>()) {
        prop_assert_eq!(unhex(&hex(&bytes)), Some(bytes));
    }

    #[test]
    fn waits_between_tries_never_shrink_and_have_an_end(attempt in any::<u32>()) {
        let next = attempt.saturating_add(1);
        prop_assert!(backoff::wait_ms(attempt) <= backoff::wait_ms(next));
        prop_assert!((backoff::FIRST_MS..=backoff::LONGEST_MS).contains(&backoff::wait_ms(attempt)));
    }

    #[test]
    fn a_star_matches_everything(value in any::<String>()) {
        prop_assert!(glob("*", &value));
        prop_assert!(glob(&value.replace('*', ""), &value.replace('*', "")));
    }

    #[test]
    fn no_body_makes_the_intake_panic(body in prop::collection::vec(any::<u8>(), 0..400)) {
        let now = Timestamp(0);
        drop(alertmanager::webhook("s", &body, now));
        drop(alertmanager::api_v2("s", &body, now));
        drop(pagerduty::enqueue("s", &body, "f"));
        drop(pagerduty::change("s", &body));
        drop(generic::read("s", &body, None));
    }

    #[test]
    fn a_mutated_payload_is_taken_or_refused_never_a_panic(at in 0_usize..700, byte in any::<u8>(), cut in 0_usize..700) {
        let sound = include_bytes!("payloads/webhook.json");
        let mut bytes = sound.to_vec();
        let len = bytes.len();
        bytes[at % len] = byte;
        bytes.truncate(len - cut % len);
        drop(alertmanager::webhook("s", &bytes, Timestamp(0)));
        drop(generic::read("s", &bytes, None));
    }
}
