//! Which mails are counted together: windows of time, and addresses of one mailbox.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use chrono::TimeDelta;
use domain::{Acceptance, AcceptanceRule, EmailAddress, Mailbox, Timestamp, Window};
use proptest::prelude::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn mailbox(address: &str) -> Mailbox {
    Mailbox::of(&EmailAddress::parse(address).unwrap())
}

#[test]
fn windows_begin_where_people_expect_them() {
    let now = at("2026-11-25T13:45:59.9Z");
    for (window, start, end) in [
        (Window::Minute, "2026-11-25T13:45:00Z", "2026-11-25T13:46:00Z"),
        (Window::Hour, "2026-11-25T13:00:00Z", "2026-11-25T14:00:00Z"),
        (Window::Day, "2026-11-25T00:00:00Z", "2026-11-26T00:00:00Z"),
        // Monday.
        (Window::Week, "2026-11-23T00:00:00Z", "2026-11-30T00:00:00Z"),
    ] {
        assert_eq!((window.start(now), window.end(now)), (at(start), at(end)), "{window:?}");
    }
}

proptest! {
    #[test]
    fn each_moment_is_in_its_window(seconds in -10_000_000_000_i64..10_000_000_000) {
        let now = at("1970-01-01T00:00:00Z") + TimeDelta::seconds(seconds);
        for window in [Window::Minute, Window::Hour, Window::Day, Window::Week] {
            let (start, end) = (window.start(now), window.end(now));
            prop_assert!(start <= now && now < end);
            prop_assert_eq!(window.start(start), start);
            prop_assert_eq!(window.start(end), end);
            prop_assert_eq!(now + window.rest(now), end);
        }
    }
}

#[test]
fn spellings_of_one_mailbox_are_one() {
    for (one, other) in [
        ("Ann@Example.com", "ann@example.com"),
        ("ann+news@example.com", "ann@example.com"),
        ("ann+a+b@example.com", "ann@example.com"),
        ("a.n.n@gmail.com", "ann@gmail.com"),
        ("A.nn+x@GoogleMail.com", "ann@gmail.com"),
    ] {
        assert!(mailbox(one) == mailbox(other), "{one} {other}");
    }
}

#[test]
fn different_mailboxes_stay_apart() {
    for (one, other) in [
        ("a.nn@example.com", "ann@example.com"),
        ("ann@example.com", "ann@example.org"),
        ("ann@example.com", "bob@example.com"),
        ("+ann@example.com", "+bob@example.com"),
        ("ann@mail.gmail.com", "a.nn@mail.gmail.com"),
    ] {
        assert!(mailbox(one) != mailbox(other), "{one} {other}");
    }
    assert_eq!(format!("{:?}", mailbox("ann@example.com")), "Mailbox");
}

#[test]
fn too_few_acceptances_count_only_in_a_sample() {
    let rule = AcceptanceRule { min_percent: 10, sample: 100 };
    for (invited, accepted, breaks) in
        [(99, 0, false), (100, 0, true), (100, 9, true), (100, 10, false), (1000, 99, true)]
    {
        assert_eq!(Acceptance { invited, accepted }.breaks(rule), breaks, "{accepted}/{invited}");
    }
    let off = AcceptanceRule { min_percent: 0, sample: 1 };
    assert!(!Acceptance { invited: 1000, accepted: 0 }.breaks(off));
}
