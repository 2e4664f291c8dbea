//! Which texts are addresses we can send to, and which never get near a mail server.

use domain::EmailAddress;
use domain::email_address::AddressError::{self, At, Domain, Empty, Local, SmtpUtf8Unsupported};

#[test]
fn refuses_what_it_cannot_send_to() {
    let cases: &[(&str, AddressError)] = &[
        // Nothing there.
        ("", Empty),
        (" \t ", Empty),
        // Line breaks, and with them commands for the mail server.
        ("ann@example.com\r\nRCPT TO:<eve@example.com>", At),
        ("ann@example.com\r\n", Domain),
        ("ann@example.com\n", Domain),
        ("\nann@example.com", Local),
        ("ann\r\n@example.com", Local),
        ("ann>\r\nRCPT TO:<eve@example.com", Local),
        ("ann@exam\0ple.com", Domain),
        ("an\0n@example.com", Local),
        ("an\u{2028}n@example.com", Local),
        // More or other than one address.
        ("ann", At),
        ("ann@example.com,bob@example.com", At),
        ("ann@example.com bob@example.com", At),
        ("<ann@example.com>", Local),
        ("Ann <ann@example.com>", Local),
        ("@relay.example:ann@example.com", At),
        ("ann@@example.com", At),
        ("@example.com", Local),
        ("ann@", Domain),
        // Not a full domain.
        ("ann@localhost", Domain),
        ("ann@b", Domain),
        ("ann@b.c", Domain),
        ("ann@[127.0.0.1]", Domain),
        ("ann@[IPv6:::1]", Domain),
        ("ann@127.0.0.1", Domain),
        ("ann@example.", Domain),
        ("ann@example.com.", Domain),
        ("ann@.example.com", Domain),
        ("ann@example..com", Domain),
        ("ann@-example.com", Domain),
        ("ann@example-.com", Domain),
        ("ann@exa_mple.com", Domain),
        ("ann@example.com:25", Domain),
        ("ann@exam ple.com", Domain),
        // Quoting, and misplaced dots.
        ("\"a b\"@example.com", Local),
        ("\"ann\"@example.com", Local),
        ("a b@example.com", Local),
        (".ann@example.com", Local),
        ("ann.@example.com", Local),
        ("an..n@example.com", Local),
        ("ann(comment)@example.com", Local),
        ("an\\n@example.com", Local),
        // Would need SMTPUTF8.
        ("änn@example.com", SmtpUtf8Unsupported),
        ("用户@example.com", SmtpUtf8Unsupported),
        ("а\u{440}ple@example.com", SmtpUtf8Unsupported),
        ("an\u{200B}n@example.com", SmtpUtf8Unsupported),
    ];
    for (text, expected) in cases {
        assert_eq!(EmailAddress::parse(text).err().as_ref(), Some(expected), "{text:?}");
    }
}

#[test]
fn holds_the_limits_of_smtp() {
    let local = |length| format!("{}@example.com", "a".repeat(length));
    assert!(EmailAddress::parse(&local(64)).is_ok());
    assert_eq!(EmailAddress::parse(&local(65)), Err(AddressError::TooLong));

    let label = "b".repeat(61);
    let total = |local: usize| format!("{}@{label}.{label}.{label}.com", "a".repeat(local));
    assert_eq!(total(64).len(), 254);
    assert!(EmailAddress::parse(&total(64)).is_ok());
    let domain = format!("a@{label}.{label}.{label}.{}.com", "b".repeat(64));
    assert_eq!(EmailAddress::parse(&domain), Err(Domain), "a label over 63");
    let one_more = format!("{}@{label}.{label}.{label}.comm", "a".repeat(64));
    assert_eq!(EmailAddress::parse(&one_more), Err(AddressError::TooLong));

    let endless = format!("a@{}", "é.".repeat(100_000));
    assert_eq!(EmailAddress::parse(&endless), Err(AddressError::TooLong));
}

#[test]
fn reads_an_address_into_what_is_shown_sent_to_and_compared() {
    // given, envelope, normalized
    let cases = [
        ("ann@example.com", "ann@example.com", "ann@example.com"),
        ("  ann@example.com\t", "ann@example.com", "ann@example.com"),
        ("Ann.Lee@Example.COM", "Ann.Lee@example.com", "ann.lee@example.com"),
        ("ann+news@example.com", "ann+news@example.com", "ann+news@example.com"),
        ("o'neil@example.com", "o'neil@example.com", "o'neil@example.com"),
        (
            "!#$%&'*+-/=?^_`{|}~@example.com",
            "!#$%&'*+-/=?^_`{|}~@example.com",
            "!#$%&'*+-/=?^_`{|}~@example.com",
        ),
        ("ann@bücher.example", "ann@xn--bcher-kva.example", "ann@xn--bcher-kva.example"),
        ("ann@BÜCHER.example", "ann@xn--bcher-kva.example", "ann@xn--bcher-kva.example"),
        ("ann@xn--bcher-kva.example", "ann@xn--bcher-kva.example", "ann@xn--bcher-kva.example"),
        ("ann@例え.テスト", "ann@xn--r8jz45g.xn--zckzah", "ann@xn--r8jz45g.xn--zckzah"),
        ("ann@example。com", "ann@example.com", "ann@example.com"),
        ("ann@sub-1.2.example.co", "ann@sub-1.2.example.co", "ann@sub-1.2.example.co"),
    ];
    for (text, envelope, normalized) in cases {
        let address = EmailAddress::parse(text).unwrap();
        assert_eq!(address.as_given(), text.trim(), "{text:?}");
        assert_eq!(address.envelope(), envelope, "{text:?}");
        assert_eq!(address.normalized(), normalized, "{text:?}");
        let again = EmailAddress::parse(&address.envelope()).unwrap();
        assert_eq!(again.normalized(), normalized, "{text:?} read back from the database");
    }
}

#[test]
fn look_alike_domains_stay_apart_and_spellings_of_one_fall_together() {
    let normalized = |text| EmailAddress::parse(text).unwrap().normalized();
    assert_eq!(normalized("ANN@EXAMPLE.COM"), normalized("ann@example.com"));
    // A Cyrillic а is another domain, and its A-label shows it.
    assert_ne!(normalized("ann@ex\u{430}mple.com"), normalized("ann@example.com"));
    assert!(normalized("ann@ex\u{430}mple.com").contains("xn--"));
}

#[test]
fn no_way_of_printing_shows_the_whole_address() {
    let address = EmailAddress::parse("ann.secret@example.com").unwrap();
    for text in [format!("{address}"), format!("{address:?}"), address.masked()] {
        assert_eq!(text, "a***@example.com");
    }
}
