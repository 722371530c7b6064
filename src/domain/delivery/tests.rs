//! Deliveries: in which order ways are tried, and what ends them.

use super::*;

fn delivery(methods: &[&str]) -> Delivery {
    let methods = methods.iter().map(|text| Method::parse(text)).collect();
    let (to, why) = ("bob".to_owned(), "test".to_owned());
    let wanted = Wanted { number: 1, kind: DeliveryKind::Page, to, why, methods };
    Delivery::new(wanted, Origin::HAND, Timestamp(0))
}

fn run(delivery: &mut Delivery, at: i64, result: AttemptResult) {
    delivery.begin(Timestamp(at));
    delivery.end(Timestamp(at), &AttemptEnd { result, detail: "", wait_ms: 0 }, 7);
}

#[test]
fn a_method_is_read_with_its_wait() {
    let table = [
        ("mail:a@b", "mail:a@b", 0),
        ("phone:+49 1 after 3m", "phone:+49 1", 180),
        ("terminal", "terminal", 0),
        ("x: the day after", "x: the day after", 0),
    ];
    for (text, name, after_s) in table {
        assert_eq!(Method::parse(text), Method { name: name.to_owned(), after_s }, "{text}");
    }
    assert_eq!((channel_of("mail:a:b"), address_of("mail:a:b")), ("mail", "a:b"));
}

#[test]
fn a_method_that_hangs_gives_way_to_another_at_once_and_the_last_one_is_tried_again() {
    let mut it = delivery(&["mail:a", "sms:1"]);
    let failed = AttemptEnd { result: AttemptResult::Failed, detail: "timeout", wait_ms: 0 };
    it.begin(Timestamp(0));
    it.end(Timestamp(20_000), &failed, 7);
    assert_eq!((it.next_method(), it.due()), ("sms:1", Some(Timestamp(20_000))));
    it.begin(Timestamp(20_000));
    it.end(Timestamp(40_000), &failed, 7);
    assert!(it.due().is_some_and(|due| due > Timestamp(43_000)), "there is no other way");
    assert_eq!(it.next_method(), "sms:1");
}

#[test]
fn a_method_that_asks_for_patience_gives_way_to_another_at_once() {
    let busy = |wait_ms| AttemptEnd { result: AttemptResult::Failed, detail: "429", wait_ms };
    let mut it = delivery(&["hook:a", "mail:a"]);
    it.begin(Timestamp(0));
    it.end(Timestamp(5), &busy(5_000), 7);
    assert_eq!(it.next_method(), "hook:a", "a short one is waited for");
    it.begin(Timestamp(6_000));
    it.end(Timestamp(6_005), &busy(3_600_000), 7);
    assert_eq!((it.next_method(), it.due()), ("mail:a", Some(Timestamp(6_005))));
    it.begin(Timestamp(6_010));
    it.end(Timestamp(6_020), &busy(3_600_000), 7);
    let due = Timestamp(6_005 + RETRY_AFTER_MAX_MS);
    assert_eq!((it.next_method(), it.due()), ("hook:a", Some(due)), "then it has its turn again");
    let mut it = delivery(&["hook:a"]);
    it.begin(Timestamp(0));
    it.end(Timestamp(20), &busy(300_000), 7);
    assert_eq!(it.due(), Some(Timestamp(300_020)), "there is no other way: it is waited for");
}

#[test]
fn a_method_that_asked_for_patience_has_its_turn_when_that_is_over_and_its_tries_end() {
    let end = |result, wait_ms| AttemptEnd { result, detail: "429", wait_ms };
    let mut it = delivery(&["hook:a", "mail:b"]);
    it.begin(Timestamp(0));
    it.end(Timestamp(5), &end(AttemptResult::Failed, 60_000), 7);
    it.begin(Timestamp(5));
    it.end(Timestamp(9), &end(AttemptResult::Refused, 0), 7);
    assert_eq!((it.next_method(), it.due()), ("hook:a", Some(Timestamp(60_005))));
    let mut tries = 0;
    while let Some(due) = it.due() {
        it.begin(due);
        it.end(due, &end(AttemptResult::Failed, 60_000), 7);
        tries += 1;
    }
    assert_eq!(tries, TRIES_MAX);
    assert!(matches!(it.stand, Stand::Failed { .. }), "{it:?}");
    // What a machine took with proof meanwhile needs no other.
    let mut it = delivery(&["hook:a", "mail:b"]);
    it.begin(Timestamp(0));
    it.end(Timestamp(5), &end(AttemptResult::Failed, 60_000), 7);
    run(&mut it, 9, AttemptResult::Accepted);
    assert_eq!(it.stand, Stand::Waiting { since: Timestamp(9) });
}

#[test]
fn a_method_that_a_limit_holds_back_has_its_turn_after_the_others() {
    let mut it = delivery(&["phone:1", "terminal"]);
    assert!(it.may_give_way());
    run(&mut it, 0, AttemptResult::Held);
    assert_eq!((it.next_method(), it.due()), ("terminal", Some(Timestamp(0))));
    assert!(!it.may_give_way(), "the last of its own ways waits");
    run(&mut it, 5, AttemptResult::Refused);
    assert_eq!((it.next_method(), it.due()), ("phone:1", Some(Timestamp(5))));
    assert!(!it.may_give_way());
    run(&mut it, 90, AttemptResult::Accepted);
    assert_eq!(it.stand, Stand::Waiting { since: Timestamp(90) });
    // What was taken with proof needs no other.
    let mut it = delivery(&["phone:1", "mail:a"]);
    run(&mut it, 0, AttemptResult::Held);
    run(&mut it, 5, AttemptResult::Accepted);
    assert_eq!(it.stand, Stand::Waiting { since: Timestamp(5) });
}

#[test]
fn a_failing_method_is_tried_again_and_then_the_next_one() {
    let mut it = delivery(&["mail:a", "sms:1"]);
    run(&mut it, 0, AttemptResult::Failed);
    assert!(it.due().is_some_and(|due| due > Timestamp(3_000)), "a pause");
    run(&mut it, 10_000, AttemptResult::Failed);
    run(&mut it, 30_000, AttemptResult::Failed);
    assert_eq!((it.next_method(), it.due()), ("sms:1", Some(Timestamp(30_000))));
    run(&mut it, 30_000, AttemptResult::Refused);
    assert_eq!(it.stand, Stand::Failed { at: Timestamp(30_000) });
    assert_eq!(it.begun, 4);
}

#[test]
fn what_gives_no_proof_is_followed_at_once_and_what_does_is_waited_for() {
    let mut it = delivery(&["terminal", "mail:a"]);
    run(&mut it, 0, AttemptResult::HandedOver);
    assert_eq!((it.next_method(), it.due()), ("mail:a", Some(Timestamp(0))));
    let mut it = delivery(&["terminal", "mail:a", "sms:1"]);
    run(&mut it, 0, AttemptResult::HandedOver);
    run(&mut it, 5, AttemptResult::Accepted);
    assert_eq!(it.stand, Stand::Waiting { since: Timestamp(5) }, "sms is for when mail fails");
    let mut it = delivery(&["mail:a", "sms:1", "phone:1 after 3m"]);
    run(&mut it, 5, AttemptResult::Accepted);
    assert_eq!((it.next_method(), it.due()), ("phone:1", Some(Timestamp(180_000))));
}

#[test]
fn an_answer_confirms_one_and_cancels_the_others_for_good() {
    let (mut bob, mut ann) = (delivery(&["mail:a"]), delivery(&["mail:a"]));
    ann.wanted.to = "ann".to_owned();
    ann.begin(Timestamp(1));
    bob.answered("bob", Timestamp(2));
    ann.answered("bob", Timestamp(2));
    assert_eq!(bob.stand, Stand::Confirmed { at: Timestamp(2) });
    let late = AttemptEnd { result: AttemptResult::Failed, detail: "late", wait_ms: 0 };
    ann.end(Timestamp(3), &late, 7);
    assert_eq!(ann.stand, Stand::Cancelled { at: Timestamp(2) });
    assert_eq!(ann.attempts[0].detail, "late", "but it is on record");
}

#[test]
fn an_attempt_that_a_crash_left_open_is_repeated_under_its_number() {
    let mut it = delivery(&["mail:a"]);
    run(&mut it, 0, AttemptResult::Unknown);
    run(&mut it, 9, AttemptResult::Accepted);
    let numbers: Vec<u32> = it.attempts.iter().map(|attempt| attempt.number).collect();
    assert_eq!(numbers, [1]);
}

#[test]
fn what_may_be_lost_goes_again_before_what_was_wanted_later() {
    let mut it = delivery(&["mail:a"]);
    run(&mut it, 600_000, AttemptResult::Unknown);
    assert_eq!(it.stand, Stand::Queued { due: it.at });
}

#[test]
fn the_pause_grows_to_its_cap() {
    for seed in 0..200 {
        for tries in 1..=u8::MAX {
            let pause = backoff_ms(tries, seed);
            assert!((BACKOFF_FIRST_MS * 3 / 4..=BACKOFF_MAX_MS).contains(&pause), "{pause}");
        }
        assert!(backoff_ms(2, seed) > backoff_ms(1, seed));
    }
}
