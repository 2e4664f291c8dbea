//! Which addresses a policy lets be invited.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use domain::policy::DomainRule;
use domain::{AddressWarning, EmailAddress, OrganizationPolicy, PolicyRefusal};

fn rules(texts: &[&str]) -> Vec<DomainRule> {
    texts.iter().map(|text| DomainRule::parse(text).unwrap()).collect()
}

#[test]
fn domains_are_allowed_alone_and_denied_with_all_below() {
    use PolicyRefusal::{Disposable, DomainDenied, DomainNotAllowed};
    let policy = OrganizationPolicy {
        allowed_domains: rules(&["Example.com", "*.example.org", "bücher.example", "yopmail.com"]),
        denied_domains: rules(&["guests.example.org"]),
        refuse_disposable: true,
        ..OrganizationPolicy::default()
    };
    for (domain, expected) in [
        ("example.com", Ok(())),
        ("EXAMPLE.COM", Ok(())),
        ("sales.example.com", Err(DomainNotAllowed)),
        ("notexample.com", Err(DomainNotAllowed)),
        ("example.com.evil.net", Err(DomainNotAllowed)),
        ("example.org", Err(DomainNotAllowed)),
        ("a.example.org", Ok(())),
        ("a.b.example.org", Ok(())),
        ("notexample.org", Err(DomainNotAllowed)),
        ("guests.example.org", Err(DomainDenied)),
        ("more.guests.example.org", Err(DomainDenied)),
        ("BÜCHER.example", Ok(())),
        ("xn--bcher-kva.example", Ok(())),
        ("bucher.example", Err(DomainNotAllowed)),
        ("yopmail.com", Err(Disposable)),
    ] {
        let address = EmailAddress::parse(&format!("ann@{domain}")).unwrap();
        assert_eq!(policy.check(&address), expected, "{domain}");
        assert_eq!(OrganizationPolicy::default().check(&address), Ok(()), "{domain}");
    }
}

#[test]
fn a_name_of_a_task_is_one_whatever_stands_around_it() {
    let policy =
        OrganizationPolicy { refuse_role_addresses: true, ..OrganizationPolicy::default() };
    for (local, is_one) in [
        ("postmaster", true),
        ("PostMaster", true),
        ("no-reply", true),
        ("abuse+welcomat", true),
        ("+abuse", false),
        ("ann", false),
        ("ann+abuse", false),
        ("abuses", false),
        ("postmaster.ann", false),
    ] {
        let address = EmailAddress::parse(&format!("{local}@example.com")).unwrap();
        let expected = if is_one { Err(PolicyRefusal::RoleAddress) } else { Ok(()) };
        assert_eq!(policy.check(&address), expected, "{local}");
        assert_eq!(AddressWarning::of(&address).is_empty(), !is_one, "{local}");
    }
}

#[test]
fn a_rule_is_a_domain() {
    for wrong in [
        "",
        "com",
        "*",
        "*.com",
        "a b.com",
        "@example.com",
        "a.*.com",
        "**.example.com",
        "192.0.2.1",
    ] {
        assert!(DomainRule::parse(wrong).is_err(), "{wrong}");
    }
    assert_eq!(
        DomainRule::parse(" *.Bücher.example ").unwrap().as_str(),
        "*.xn--bcher-kva.example"
    );
}
