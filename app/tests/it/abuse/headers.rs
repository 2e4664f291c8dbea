//! What every answer tells a browser, over everything that is served.
//!
//! The operations come from the document; a page that is none has to stand in [`PAGES`], as in
//! api/src/openapi/tests/served.rs.

use app::http::{Answer, Client};
use serde_json::Value;

use super::tenants::operations::{Operation, operations};
use crate::branding::picture;
use crate::harness::{Stack, TestApp, block_on, text};

const PAGES: [&str; 79] = [
    "GET /",
    "GET /assets/pages.css",
    "GET /assets/pages.js",
    "GET /i/{token}",
    "GET /i/unknown",
    "GET /i/{token}/decline",
    "GET /i/{token}/unexpected",
    "POST /i/{token}/accept",
    "POST /i/{token}/new-link",
    "POST /i/{token}/decline",
    "POST /i/{token}/unexpected",
    "GET /inbox",
    "GET /inbox?q=ann",
    "GET /inbox/state",
    "GET /inbox/messages/{message}",
    "GET /inbox/messages/{message}?view=text",
    "GET /inbox/messages/{message}?view=source",
    "GET /inbox/messages/{message}?view=headers",
    "GET /inbox/messages/{message}?view=checks",
    "GET /inbox/messages/{message}/html",
    "GET /assets/inbox.js",
    "GET /assets/console.css",
    "GET /assets/console.js",
    "GET /assets/accent/{accent}.css",
    "GET /assets/accent/7a1fa2.css",
    "GET /assets/logo/{organization}/{hash}",
    "GET /{logo}",
    "GET /console/sign-in",
    "POST /console/sign-in",
    "POST /console/sign-out",
    "GET /console",
    "GET /console/dead-letters",
    "POST /console/dead-letters/{dead_letter}/redrive",
    "POST /console/dead-letters/{dead_letter}/discard",
    "GET /console/{organization}",
    "GET /console/{organization}/invitations",
    "POST /console/{organization}/invitations",
    "GET /console/{organization}/invitations/{invitation}",
    "POST /console/{organization}/invitations/{invitation}/resend",
    "POST /console/{organization}/invitations/{invitation}/extend",
    "POST /console/{organization}/invitations/{invitation}/revoke",
    "GET /console/{organization}/batches",
    "POST /console/{organization}/batches",
    "GET /console/{organization}/batches/{batch}",
    "GET /console/{organization}/batches/{batch}/rows.csv",
    "POST /console/{organization}/batches/{batch}/retry",
    "POST /console/{organization}/batches/{batch}/cancel",
    "GET /console/{organization}/templates",
    "POST /console/{organization}/templates",
    "POST /console/{organization}/templates/preview",
    "POST /console/{organization}/templates/rollback",
    "POST /console/{organization}/templates/delete",
    "POST /console/{organization}/templates/retry",
    "POST /console/{organization}/templates/test-send",
    "GET /console/{organization}/branding",
    "POST /console/{organization}/branding",
    "POST /console/{organization}/branding/preview",
    "GET /console/{organization}/webhooks",
    "GET /console/{organization}/webhooks/{webhook}",
    "POST /console/{organization}/webhooks/{webhook}/test",
    "POST /console/{organization}/webhooks/{webhook}/enable",
    "POST /console/{organization}/webhooks/{webhook}/disable",
    "POST /console/{organization}/webhooks/{webhook}/deliveries/{webhook_delivery}/replay",
    "GET /console/{organization}/suppressions",
    "POST /console/{organization}/suppressions",
    "POST /console/{organization}/suppressions/lift",
    "GET /console/{organization}/dead-letters",
    "POST /console/{organization}/dead-letters/{dead_letter}/redrive",
    "POST /console/{organization}/dead-letters/{dead_letter}/discard",
    "GET /console/{organization}/keys",
    "POST /console/{organization}/keys",
    "POST /console/{organization}/keys/{api_key}/revoke",
    "GET /openapi.json",
    "GET /docs",
    "GET /docs/start.js",
    "GET /docs/scalar.js",
    "GET /no/such/page",
    // At the end: what was looked at is gone.
    "POST /inbox/messages/{message}/delete",
    "POST /inbox/delete",
];
/// Files that are the same for everybody and say nothing of anybody.
const KEPT: [&str; 4] = ["/openapi.json", "/docs", "/docs/start.js", "/docs/scalar.js"];

/// What is true of every answer.
pub fn check(what: &str, path: &str, answer: &Answer) {
    let header = |name: &str| answer.header(name).unwrap_or_else(|| panic!("{what} has no {name}"));
    assert_eq!(header("x-content-type-options"), "nosniff", "{what}");
    assert_eq!(header("referrer-policy"), "no-referrer", "{what}");
    assert_eq!(header("cross-origin-resource-policy"), "same-origin", "{what}");
    assert!(header("permissions-policy").contains("camera=()"), "{what}");
    let policy = header("content-security-policy");
    let directives: Vec<&str> = policy.split(';').map(str::trim).collect();
    assert!(directives.contains(&"default-src 'none'"), "{what}: {policy}");
    // The inbox shows a mail in a frame of its own page, without rights.
    let framed = path.ends_with("/html");
    let ancestors = if framed { "frame-ancestors 'self'" } else { "frame-ancestors 'none'" };
    assert!(directives.contains(&ancestors), "{what}: {policy}");
    let picture = path.starts_with("/assets/logo/") && answer.status < 400;
    let boxed = directives.iter().any(|directive| directive.starts_with("sandbox"));
    assert_eq!(boxed, framed || picture, "{what}: {policy}");
    for directive in directives {
        let script = directive.starts_with("script-src") || directive.starts_with("default-src");
        assert!(!(script && directive.contains("unsafe")), "{what}: {directive}");
        let style = directive.contains("'unsafe-inline'");
        assert!(!style || framed || path == "/docs", "{what}: {directive}");
        assert!(!directive.contains('*') && !directive.contains("http:"), "{what}: {directive}");
    }
    let kept = KEPT.contains(&path) || path.starts_with("/assets/");
    let kept = kept && answer.status < 400;
    assert_eq!(header("cache-control").contains("no-store"), !kept, "{what}");
    assert_eq!(answer.header("set-cookie"), None, "{what}");
    assert_eq!(answer.header("server"), None, "{what}");
    assert!(!answer.headers.iter().any(|(name, _)| name.starts_with("access-control")), "{what}");
}

/// An answer of each kind to an operation: as asked for, without a key, and by a wrong method.
async fn ask_for(operation: &Operation, app: &TestApp, message: &str) {
    let path = operation.path.replace("{organization}", &app.organization);
    let path = path.replace("{organization_id}", &app.organization).replace("{message}", message);
    let body = operation.body.as_ref().map(Value::to_string).unwrap_or_default();
    let json = [("Content-Type", "application/json")];
    let stranger = app.client.clone().with_key(None);
    for (client, method) in [
        (&app.client, operation.method.as_str()),
        (&stranger, &operation.method),
        (&app.client, "TRACE"),
    ] {
        let answer = client.send(method, &path, &json, body.as_bytes()).await.unwrap();
        check(&format!("{method} {path} ({})", answer.status), &path, &answer);
    }
}

async fn ask(client: &Client, page: &str) {
    let (method, path) = page.split_once(' ').unwrap();
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let answer = client.send(method, path, &form, b"").await.unwrap();
    check(page, path, &answer);
    let head = client.send("HEAD", path, &[], b"").await.unwrap();
    check(&format!("HEAD {path}"), path, &head);
    let html = answer.header("content-type").is_some_and(|kind| kind.starts_with("text/html"));
    if html && !path.ends_with("/html") {
        has_nothing_inline(path, &answer.text());
    }
}

/// Where a logo of the app's organization is, without the slash in front.
async fn logo(app: &TestApp) -> String {
    let path = format!("/v1/organizations/{}/branding/logo", app.organization);
    let png = [("Content-Type", "image/png")];
    let kept = app.client.send("PUT", &path, &png, &picture(100)).await.unwrap();
    let url = text(&kept.json()["logo"]["url"]);
    url[url.find("assets/").unwrap()..].to_owned()
}

/// A page has its scripts and styles in files of ours.
pub fn has_nothing_inline(path: &str, page: &str) {
    for inline in ["<script>", "style=\"", "<style", "onclick", "onload", "javascript:"] {
        assert!(!page.contains(inline), "{path} has {inline}");
    }
}

#[test]
fn every_page_of_the_router_is_in_the_list() {
    let known = include_str!("../../../../api/src/openapi/tests/served.rs");
    let pages =
        known.split('"').filter(|text| text.starts_with("GET /") || text.starts_with("POST /"));
    let missing: Vec<&str> = pages.filter(|page| !PAGES.contains(page)).collect();
    assert!(missing.is_empty(), "add to PAGES in app/tests/it/abuse/headers.rs: {missing:?}");
}

#[test]
fn every_answer_tells_browsers_to_run_keep_and_frame_nothing() {
    block_on(async {
        let app = TestApp::start(Stack::Embedded).await;
        // Not whom the examples are about: one of them erases her.
        let (_, mail) = app.invite_and_receive("zoe@example.com").await;
        let message = text(&app.get("/inbox/messages").await[0]["id"]);
        for operation in operations(&app).await {
            ask_for(&operation, &app, &message).await;
        }
        // What the operations have left of the look, and a logo.
        let logo = logo(&app).await;
        for page in PAGES {
            let page = page.replace("{logo}", &logo);
            let page = page.replace("{token}", &mail.token()).replace("{message}", &message);
            ask(&app.client, &page).await;
        }
    });
}

#[test]
fn an_answer_that_never_came_has_them_too() {
    block_on(async {
        let hurry = [("WELCOMAT_HTTP_REQUEST_TIMEOUT", "3s")];
        let app = TestApp::start_with_settings(Stack::Embedded, &hurry).await;
        let answer = super::raw(
            &app,
            "POST /v1/invitations/accept HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
             Content-Length: 9\r\nConnection: close\r\n\r\n",
        )
        .await;
        assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
        assert!(answer.to_lowercase().contains("\r\ncontent-security-policy: "), "{answer}");
    });
}

#[test]
fn a_browser_is_bound_to_tls_only_where_there_is_tls() {
    block_on(async {
        for (url, bound) in
            [("https://invite.example.com/", true), ("http://invite.example.com/", false)]
        {
            let url = [("WELCOMAT_PUBLIC_URL", url)];
            let app = TestApp::start_with_settings(Stack::Embedded, &url).await;
            for path in ["/v1/me", "/docs", "/i/unknown", "/no/such/page"] {
                let answer = app.client.get(path).await.unwrap();
                let header = answer.header("strict-transport-security");
                assert_eq!(header.is_some(), bound, "{path}");
                assert!(header.is_none_or(|value| value.starts_with("max-age=31536000")));
            }
        }
    });
}
