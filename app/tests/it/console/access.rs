//! No page and no form of the console is forgotten: each wants a session, a form of ours, and things
//! that are the visitor's own. The routes come from api/src/openapi/tests/served.rs.

use serde_json::{Value, json};

use super::browser::Browser;
use crate::abuse::headers;
use crate::harness::{KEY, Stack, TestApp, text};
use crate::servers::eventually;
use crate::webhooks::{NEAR, receiver::Receiver, register};

on_both_stacks!(
    without_a_session_there_is_nothing,
    a_form_from_elsewhere_changes_nothing,
    what_is_another_organizations_does_not_exist,
    every_page_keeps_to_its_policy,
);

/// Fields that each form with fields needs.
const FIELDS: [(&str, &str); 10] = [
    ("email", "eve@example.com"),
    ("first_name", ""),
    ("last_name", ""),
    ("role", "admin"),
    ("name", "eve"),
    ("locale", "de"),
    ("subject", "x"),
    ("html", "{{accept_url}}"),
    ("text", "{{accept_url}}"),
    ("version", "1"),
];

/// The routes inside, by method.
fn routes(method: &str) -> Vec<&'static str> {
    let known = include_str!("../../../../api/src/openapi/tests/served.rs");
    let inside = known.split('"').filter_map(|text| text.split_once(' '));
    let inside = inside.filter(|(of, path)| {
        *of == method && path.starts_with("/console") && *path != "/console/sign-in"
    });
    inside.map(|(_, path)| path).collect()
}

/// One of everything that a path can name.
#[derive(Clone)]
struct Things {
    organization: String,
    invitation: String,
    webhook: String,
    webhook_delivery: String,
    api_key: String,
}

impl Things {
    async fn of(app: &TestApp, receiver: &Receiver) -> Self {
        let (webhook, _) = register(app, &receiver.url(), None).await;
        let (invitation, _) = app.invite_and_receive("ann@example.com").await;
        let log = format!("{webhook}/deliveries");
        let told = eventually("the webhook is told", async || {
            let page = app.get(&log).await;
            page["data"].get(0).filter(|one| one["status"] == "delivered").cloned()
        })
        .await;
        let keys = app.get("/v1/api-keys").await;
        let last = |path: &str| path.rsplit('/').next().unwrap().to_owned();
        Self {
            organization: app.organization.clone(),
            invitation: last(&invitation),
            webhook: last(&webhook),
            webhook_delivery: text(&told["id"]),
            api_key: text(&keys["data"][0]["id"]),
        }
    }

    fn path(&self, route: &str) -> String {
        route
            .replace("{organization}", &self.organization)
            .replace("{invitation}", &self.invitation)
            .replace("{webhook}", &self.webhook)
            .replace("{webhook_delivery}", &self.webhook_delivery)
            .replace("{api_key}", &self.api_key)
            // Nobody has one: what is asked for must not get so far.
            .replace("{dead_letter}", "01890a5d-ac96-774b-bcce-b302099a8057")
            .replace("{batch}", "01890a5d-ac96-774b-bcce-b302099a8057")
    }
}

async fn start(stack: Stack) -> (TestApp, Receiver, Things) {
    let app = TestApp::start_with_settings(stack, &NEAR).await;
    let receiver = Receiver::start().await;
    let things = Things::of(&app, &receiver).await;
    (app, receiver, things)
}

/// All that the forms could change, without what changes by itself.
async fn state(app: &TestApp, things: &Things) -> Value {
    let webhook = format!("/v1/organizations/{}/webhooks/{}", app.organization, things.webhook);
    let keys = app.get("/v1/api-keys").await;
    let keys = keys["data"].as_array().unwrap().iter();
    let revoked: Vec<_> = keys.map(|key| key["revoked_at"].clone()).collect();
    json!([
        app.get(&app.invitations()).await,
        app.get(&webhook).await["disabled_at"],
        app.get(&format!("/v1/organizations/{}/templates", app.organization)).await,
        app.get(&format!("/v1/organizations/{}/batches", app.organization)).await,
        app.get(&format!("/v1/organizations/{}/branding", app.organization)).await,
        app.get(&format!("{webhook}/deliveries")).await["data"].as_array().unwrap().len(),
        revoked,
    ])
}

async fn without_a_session_there_is_nothing(stack: Stack) {
    let (app, _receiver, things) = start(stack).await;
    let before = state(&app, &things).await;
    let browser = Browser::stranger(&app);
    for route in routes("GET") {
        let answer = browser.open(&things.path(route)).await;
        let place = answer.header("location");
        assert_eq!((answer.status, place), (303, Some("/console/sign-in")), "{route}");
        assert_eq!(answer.text(), "", "{route}");
    }
    for route in routes("POST") {
        let answer = browser.send(&things.path(route), &FIELDS).await;
        assert_eq!((answer.status, answer.text()), (303, String::new()), "{route}");
    }
    assert_eq!(state(&app, &things).await, before);
}

async fn a_form_from_elsewhere_changes_nothing(stack: Stack) {
    let (app, _receiver, things) = start(stack).await;
    let before = state(&app, &things).await;
    let browser = Browser::signed_in(&app, KEY).await;
    let posts = routes("POST");
    assert!(posts.len() > 10, "{posts:?}");
    for route in posts {
        for csrf in [None, Some(""), Some("0000"), Some(KEY)] {
            let csrf = csrf.map(|csrf| ("csrf", csrf));
            let fields: Vec<_> = FIELDS.into_iter().chain(csrf).collect();
            let answer = browser.send(&things.path(route), &fields).await;
            assert_eq!(answer.status, 400, "{route}: {}", answer.text());
        }
    }
    assert_eq!(state(&app, &things).await, before, "and the session goes on");
    browser.page(&things.path("/console/{organization}")).await;
}

async fn what_is_another_organizations_does_not_exist(stack: Stack) {
    let (app, _receiver, things) = start(stack).await;
    let before = state(&app, &things).await;
    let (other, _) = app.other_organization().await;
    let wanted = json!({"name": "theirs", "organization_id": other});
    let key = app.operator().post("/v1/api-keys", &wanted).await.unwrap();
    let mut browser = Browser::stranger(&app);
    let signed_in = browser.sign_in(&text(&key.json()["key"])).await;
    browser.cookie = signed_in.header("set-cookie").map(str::to_owned);
    // Their own pages give what proves that a form comes from them.
    let page = browser.page(&format!("/console/{other}")).await;
    let (_, rest) = page.split_once("name=\"csrf\" value=\"").expect("a form");
    let csrf = rest.split('"').next().unwrap();
    let fields: Vec<_> = FIELDS.into_iter().chain([("csrf", csrf)]).collect();
    let own_place = Things { organization: other.clone(), ..things.clone() };
    for method in ["GET", "POST"] {
        for route in routes(method) {
            if !route.contains("{organization}") {
                continue;
            }
            // In the other's place, and in a place of one's own.
            let names_more = route.matches('{').count() > 1;
            let own = names_more.then(|| own_place.path(route));
            for path in own.into_iter().chain([things.path(route)]) {
                let answer = match method {
                    "GET" => browser.open(&path).await,
                    _ => browser.send(&path, &fields).await,
                };
                assert_eq!(answer.status, 404, "{method} {path}: {}", answer.text());
                assert!(!answer.text().contains("ann@example.com"), "{path}");
            }
        }
    }
    assert_eq!(state(&app, &things).await, before);
}

async fn every_page_keeps_to_its_policy(stack: Stack) {
    let (app, _receiver, things) = start(stack).await;
    let browser = Browser::signed_in(&app, KEY).await;
    for route in routes("GET") {
        let path = things.path(route);
        let answer = browser.open(&path).await;
        headers::check(route, &path, &answer);
        headers::has_nothing_inline(&path, &answer.text());
        let kind = answer.header("content-type").unwrap_or_default();
        let page = answer.text();
        if answer.status == 200 {
            assert!(kind.starts_with("text/html"), "{route}: {kind}");
            assert!(page.contains("<main id=\"main\""), "{route}: {page}");
        }
    }
    // What cannot be is said on a page, too.
    let missing = browser.open(&format!("/console/{}/nothing", app.organization)).await;
    assert_eq!(missing.status, 404);
    assert!(missing.text().contains("Not Found"), "{}", missing.text());
    headers::check("a page that is not there", "/console", &missing);
}
