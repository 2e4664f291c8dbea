//! What a page says and loads that looks as its organization wants.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use adapters::templates::{AcceptForm, Page, PageBrand, Templates};
use chrono::{TimeZone, Utc};
use domain::branding::{Colour, Logo, LogoKind, SupportLink};
use domain::{Branding, OrganizationId};
use uuid::Uuid;

fn form() -> AcceptForm<'static> {
    AcceptForm {
        organization: "Harbour & Sons",
        inviter: Some("Ada Lovelace"),
        email_masked: "g***@example.com",
        expires_at: Utc.with_ymd_and_hms(2026, 12, 1, 14, 5, 0).unwrap(),
        token_path: "/i/7q2m9x4c1v8b3n6k5j0hgfdsap",
        password_min: 8,
        error: None,
    }
}

#[test]
fn a_page_in_an_organizations_own_look() {
    let mut branding = Branding {
        name: None,
        accent: Colour::parse("#7a1fa2").ok(),
        support_url: SupportLink::parse("mailto:help@example.com").ok(),
        logo: Some(Logo {
            hash: "9f86d081884c7d659a2feaa0c55ad015".to_owned(),
            kind: LogoKind::Png,
            width: 480,
            height: 96,
            bytes: 5120,
        }),
    };
    let id = OrganizationId::from_uuid(Uuid::from_u128(7));
    let shown = |branding: &Branding, name| {
        let brand = PageBrand::new(id, name, branding);
        Templates::load(None)
            .unwrap()
            .below("/app/")
            .branded("de", &Page::Accept(form()), &brand)
            .unwrap()
    };
    insta::assert_snapshot!("page_accept_branded", shown(&branding, "Harbour & Sons"));
    branding.logo = None;
    let hostile = shown(&branding, "<script>alert(1)</script>");
    assert!(!hostile.contains("<script>alert") && hostile.contains("&lt;script&gt;"), "{hostile}");
}
