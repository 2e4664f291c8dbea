//! How organizations look on the pages behind their links: over HTTP, with what browsers are told.

use app::http::{Answer, Client};
use serde_json::{Value, json};

use crate::harness::{Stack, TestApp, text};
use crate::mail::TestMail;
use crate::servers::eventually;

on_both_stacks!(
    an_organization_looks_as_it_wants_on_its_pages_alone,
    a_look_is_for_admins_and_cannot_harm_who_sees_it,
);

const PNG: (&str, &str) = ("Content-Type", "image/png");
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// The head of a picture, which is all that is looked at, of 120 by 40 pixels, and as much more.
pub fn picture(bytes: usize) -> Vec<u8> {
    let head = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x78\0\0\0\x28\x08\x06\0\0\0....\0\0\0\0IDAT";
    let mut picture = head.to_vec();
    picture.resize(bytes, 0);
    picture
}

fn path(organization: &str) -> String {
    format!("/v1/organizations/{organization}/branding")
}

async fn put(client: &Client, path: &str, kind: (&str, &str), body: &[u8]) -> Answer {
    client.send("PUT", path, &[kind], body).await.unwrap()
}

/// Sets the look of the app's organization.
async fn set(app: &TestApp, look: &Value) -> Answer {
    let json = ("Content-Type", "application/json");
    put(&app.client, &path(&app.organization), json, look.to_string().as_bytes()).await
}

async fn open(app: &TestApp, path: &str) -> Answer {
    app.client.clone().with_key(None).get(path).await.unwrap()
}

/// A mail of an organization that is not the app's own.
async fn mail_of(app: &TestApp, organization: &str, client: &Client) -> TestMail {
    let path = format!("/v1/organizations/{organization}/invitations");
    let made = client.post(&path, &json!({"email": "bob@example.com"})).await.unwrap();
    assert_eq!(made.status, 201, "{}", made.text());
    eventually("the other mail comes", async || app.mails_to("bob@example.com").await.pop()).await
}

/// What a page loads and links to.
fn links(page: &str) -> Vec<&str> {
    let after = |name: &'static str| page.split(name).skip(1);
    let places = after("href=\"").chain(after("src=\""));
    places.map(|rest| rest.split('"').next().unwrap()).collect()
}

async fn an_organization_looks_as_it_wants_on_its_pages_alone(stack: Stack) {
    let app = TestApp::start(stack).await;
    let (_, mail) = app.invite_and_receive("ann@example.com").await;
    let plain = open(&app, &mail.path()).await.text();
    assert!(plain.contains("<bdi>Acme</bdi>") && !plain.contains("assets/accent"), "{plain}");

    let look = json!({
        "name": "Harbour & Sons", "accent": "#FFD400", "support_url": "https://Help.example/a?b=\"c",
    });
    let kept = set(&app, &look).await;
    assert_eq!(kept.status, 200, "{}", kept.text());
    let logo = picture(32 * 1024);
    let own = path(&app.organization);
    let kept = put(&app.client, &format!("{own}/logo"), PNG, &logo).await;
    let shown = kept.json();
    assert_eq!(kept.status, 200, "{shown}");
    assert_eq!(app.get(&own).await, shown);
    assert_eq!(shown["accent"], "#ffd400");
    // Yellow is not to be read by day, and well by night.
    let legible = &shown["legible_accent"];
    assert!(legible["light"] != "#ffd400" && legible["dark"] == "#ffd400", "{shown}");

    let page = open(&app, &mail.path()).await.text();
    for part in [
        "<title>Accept the invitation – Harbour &amp; Sons</title>",
        "Join Harbour &amp; Sons",
        "alt=\"Harbour &amp; Sons\" width=\"120\" height=\"40\"",
        "href=\"https://help.example/a?b&#x3D;%22c\" rel=\"noreferrer\">Questions? help.example<",
    ] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    assert!(!page.contains("Welcomat") && !page.contains("Acme"), "{page}");
    let links = links(&page);
    let place = |start: &str| {
        let found = links.iter().find(|link| link.starts_with(start));
        (*found.unwrap_or_else(|| panic!("{start} is not linked: {page}"))).to_owned()
    };
    let sheet = open(&app, &place("/assets/accent/")).await;
    assert_eq!(sheet.header("content-type"), Some("text/css; charset=utf-8"));
    assert_eq!(sheet.header("cache-control"), Some(FOR_EVER));
    assert!(sheet.text().contains(&format!("--accent: {};", text(&legible["light"]))));
    let picture_at = place("/assets/logo/");
    assert!(text(&shown["logo"]["url"]).ends_with(&picture_at), "{shown}");
    let file = open(&app, &picture_at).await;
    assert_eq!((file.status, &file.body), (200, &logo));
    for (name, value) in [
        ("content-type", "image/png"),
        ("cache-control", FOR_EVER),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(file.header(name), Some(value));
    }
    let policy = file.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; sandbox;"), "{policy}");
    // All that a phone has to load, with a logo that could not be larger.
    let mut size = page.len() + sheet.body.len() + file.body.len();
    assert!(page.len() < 10_000, "{}", page.len());
    for shared in ["/assets/pages.css", "/assets/pages.js"] {
        size += open(&app, shared).await.body.len();
    }
    assert!(size < 100_000 && size - logo.len() < 50_000, "{size} bytes");

    // Its mails say whom to ask, too.
    let (_, mail_then) = app.invite_and_receive("cat@example.com").await;
    assert!(mail_then.text.contains("Questions? help.example"), "{}", mail_then.text);
    assert!(!mail.text.contains("Questions?"));

    // Nobody else's pages are concerned.
    let (other, theirs) = app.other_organization().await;
    let foreign = open(&app, &mail_of(&app, &other, &theirs).await.path()).await.text();
    let unknown = open(&app, "/i/unknown").await.text();
    for page in [&foreign, &unknown] {
        assert!(!page.contains("assets/accent") && !page.contains("Harbour"), "{page}");
        assert!(!page.contains("assets/logo") && !page.contains("Questions?"), "{page}");
    }
    assert!(unknown.contains("Welcomat") && !foreign.contains("Welcomat"), "{unknown}");
    let (_, hash) = picture_at.rsplit_once('/').unwrap();
    for place in [
        format!("/assets/logo/{other}/{hash}"),
        format!("/assets/logo/{}/{}", app.organization, "0".repeat(32)),
        "/assets/logo/x/y".to_owned(),
        "/assets/accent/FFD400.css".to_owned(),
        "/assets/accent/red.css".to_owned(),
    ] {
        let answer = open(&app, &place).await;
        assert_eq!((answer.status, answer.header("cache-control")), (404, Some("no-store")));
    }

    // What has ended looks so, too; and what is taken away is gone.
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let decline = mail.path() + "/decline";
    let declined = app.client.send("POST", &decline, &form, b"").await.unwrap().text();
    assert!(declined.contains("alt=\"Harbour &amp; Sons\""), "{declined}");
    let gone = app.client.send("DELETE", &format!("{own}/logo"), &[], b"").await.unwrap();
    assert_eq!((gone.status, open(&app, &picture_at).await.status), (204, 404));
    let named = open(&app, &mail.path()).await.text();
    assert!(named.contains("<bdi>Harbour &amp; Sons</bdi>"), "{named}");
    let cleared = app.client.send("DELETE", &own, &[], b"").await.unwrap();
    assert_eq!(cleared.status, 204);
    let plain = open(&app, &mail.path()).await.text();
    assert!(plain.contains("<bdi>Acme</bdi>") && !plain.contains("assets/accent"), "{plain}");
}

async fn a_look_is_for_admins_and_cannot_harm_who_sees_it(stack: Stack) {
    let app = TestApp::start(stack).await;
    let own = path(&app.organization);
    let nothing = json!({
        "name": null, "accent": null, "legible_accent": null, "support_url": null, "logo": null,
    });
    for (field, value) in [
        ("name", "Win at evil.example"),
        ("name", "two\nlines"),
        ("accent", "red"),
        ("accent", "#fff;}*{display:none"),
        ("support_url", "http://help.example"),
        ("support_url", "javascript:alert(1)"),
        ("support_url", "mailto:help@example.com?bcc=eve@example.com"),
    ] {
        let refused = set(&app, &json!({ field: value })).await;
        let told = refused.json();
        assert_eq!((refused.status, &told["errors"][0]["field"]), (422, &json!(field)), "{value}");
    }
    let logo = format!("{own}/logo");
    let svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>";
    let svg_type = ("Content-Type", "image/svg+xml");
    let large = picture(32 * 1024 + 1);
    for (kind, bytes, status, why) in [
        (svg_type, &svg[..], 415, "image/png, image/jpeg, image/webp or image/gif"),
        (PNG, svg, 422, "SVG is not taken"),
        (PNG, &large, 413, "32768 bytes"),
        (PNG, &picture(41)[..30], 422, "not a whole image"),
    ] {
        let refused = put(&app.client, &logo, kind, bytes).await;
        let told = refused.text();
        assert!(refused.status == status && told.contains(why), "{status}: {told}");
    }
    assert_eq!(app.get(&own).await, nothing, "nothing of it is kept");
    // It is what its bytes are, whatever it is called.
    let gif = b"GIF89a\x03\0\x02\0\0\0\0\x2c\0\0\0\0\x03\0\x02\0\0\x02\x02\x4c\x01\0;";
    let kept = put(&app.client, &logo, PNG, gif).await.json();
    assert_eq!(kept["logo"]["media_type"], "image/gif", "{kept}");
    let (_, key) = app.act("/v1/api-keys", &json!({"name": "reader", "role": "member"})).await;
    let reader = app.client.clone().with_key(Some(text(&key["key"])));
    assert_eq!(reader.get(&own).await.unwrap().status, 403);
    assert_eq!(put(&reader, &logo, PNG, gif).await.status, 403);
}
