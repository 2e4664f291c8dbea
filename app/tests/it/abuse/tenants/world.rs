//! Two organizations that have one of everything, and requests that name what is theirs.

use app::http::{Answer, Client};
use serde_json::{Value, json};
use uuid::Uuid;

use super::operations::Operation;
use crate::abuse::CHOSEN;
use crate::batches::{finished_at, send_as};
use crate::branding::picture;
use crate::contracts::users_organizations::session;
use crate::dead_letters;
use crate::harness::{Stack, TestApp, text};
use crate::servers::eventually;

/// An id of the caller's own organization, one of another, and one of nobody.
pub struct Ids {
    pub own: String,
    pub foreign: String,
    pub missing: String,
}

/// Whose thing is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    Own,
    Foreign,
    Nobody,
}

/// Two organizations: the caller's, and that of the app's admin, which is foreign to it.
pub struct World {
    pub app: TestApp,
    pub caller: Client,
    /// May only read, in the caller's organization.
    pub member: Client,
    session: String,
    ids: Vec<(&'static str, Ids)>,
}

impl World {
    pub async fn make(stack: Stack) -> Self {
        let app = TestApp::start(stack).await;
        let foreign = Things::make(&app, &app.client, &app.organization, "owner").await;
        let (organization, caller) = app.other_organization().await;
        // The first key of an organization belongs to nobody; a contract asks for a person.
        let own = Things::make(&app, &caller, &organization, "caller").await;
        let (_, made) =
            call(&caller, "/v1/api-keys", &json!({"name": "m", "role": "member"})).await;
        let member = app.client.clone().with_key(Some(text(&made["key"])));
        let nobody = || Uuid::from_u128(0x0193_7a5c_8f5e_7c52_9d0b_6f6d_2f0c_5a11).to_string();
        let ids = |pick: fn(&Things) -> String| Ids {
            own: pick(&own),
            foreign: pick(&foreign),
            missing: nobody(),
        };
        let number =
            Ids { missing: "987654321".to_owned(), ..ids(|things| things.number.to_string()) };
        let session = session(&app, own.number);
        let organization = |things: &Things| things.organization.clone();
        let ids = vec![
            ("organization", ids(organization)),
            ("organization_id", ids(organization)),
            ("invitation", ids(|things| things.invitation.clone())),
            ("user", ids(|things| things.user.clone())),
            ("userId", number),
            ("api_key", ids(|things| things.api_key.clone())),
            ("dead_letter", ids(|things| things.dead_letter.clone())),
            ("batch", ids(|things| things.batch.clone())),
            ("webhook", ids(|things| things.webhook.clone())),
            ("webhook_delivery", ids(|things| things.webhook_delivery.clone())),
            ("test_mail", ids(|things| things.test_mail.clone())),
        ];
        Self { app, caller, member, session, ids }
    }

    /// Whom that parameter may name.
    pub fn ids(&self, operation: &str, name: &str) -> &Ids {
        let known = self.ids.iter().find(|(known, _)| *known == name);
        &known
            .unwrap_or_else(|| {
                panic!(
                    "the operation {operation} takes {{{name}}}, which this test does not know: add \
                     to World::make in app/tests/it/abuse/tenants/world.rs what it names in an organization"
                )
            })
            .1
    }

    /// Asks for `operation` with ids of these owners, one for each of its names.
    pub async fn ask(&self, client: &Client, operation: &Operation, whose: &[Whose]) -> Answer {
        let (mut path, mut query) = (operation.path.clone(), String::new());
        for ((name, in_path), whose) in operation.names.iter().zip(whose) {
            let ids = self.ids(&operation.id, name);
            let id = match whose {
                Whose::Own => &ids.own,
                Whose::Foreign => &ids.foreign,
                Whose::Nobody => &ids.missing,
            };
            if *in_path {
                path = path.replace(&format!("{{{name}}}"), id);
            } else {
                query = format!("?{name}={id}");
            }
        }
        let headers = [("Content-Type", "application/json"), ("x-session-token", &self.session)];
        let body = operation.body.as_ref().map(Value::to_string).unwrap_or_default();
        let path = format!("{path}{query}");
        client.send(&operation.method, &path, &headers, body.as_bytes()).await.unwrap()
    }

    /// All that the foreign organization's admin sees.
    pub async fn foreign_view(&self) -> Vec<Value> {
        let organization = format!("/v1/organizations/{}", self.app.organization);
        let invitation =
            format!("{organization}/invitations/{}", self.ids("", "invitation").foreign);
        let lists = ["/v1/api-keys", "/v1/dead-letters", "/v1/organizations"].map(str::to_owned);
        let own = [organization.clone(), invitation].into_iter();
        let own = own.chain(
            [
                "invitations",
                "members",
                "policy",
                "branding",
                "webhooks",
                "batches",
                "templates",
                "templates/de/versions",
            ]
            .map(|of| format!("{organization}/{of}")),
        );
        let mut view = Vec::new();
        for path in own.chain(lists) {
            let mut seen = self.app.get(&path).await;
            // A key's last use is ours: this test looks with it.
            for key in seen["data"].as_array_mut().into_iter().flatten() {
                key.as_object_mut().map(|key| key.remove("last_used_at"));
            }
            view.push(seen);
        }
        view
    }
}

/// One of everything that an organization can have.
struct Things {
    organization: String,
    number: i64,
    invitation: String,
    user: String,
    api_key: String,
    dead_letter: String,
    batch: String,
    webhook: String,
    webhook_delivery: String,
    test_mail: String,
}

impl Things {
    async fn make(app: &TestApp, client: &Client, organization: &str, who: &str) -> Self {
        let path = format!("/v1/organizations/{organization}/invitations");
        let invite = async |name: &str| {
            let email = format!("{who}-{name}@example.com");
            let answer = client.post(&path, &json!({ "email": email })).await.unwrap();
            assert_eq!(answer.status, 201, "{}", answer.text());
            let invitation = answer.json();
            let own = format!("{path}/{}", text(&invitation["id"]));
            eventually("the mail is sent", async || {
                let found = client.get(&own).await.unwrap().json();
                (found["delivery"]["status"] == "sent").then_some(())
            })
            .await;
            (invitation, app.mails_to(&email).await.remove(0))
        };
        let (invitation, _) = invite("pending").await;
        let (_, mail) = invite("member").await;
        let accept = json!({"token": mail.token(), "password": CHOSEN});
        let (status, joined) = app.act("/v1/invitations/accept", &accept).await;
        assert_eq!(status, 200, "{joined}");
        let members = format!("/v1/organizations/{organization}/members");
        let members = client.get(&members).await.unwrap().json();
        let mut members = members["data"].as_array().unwrap().iter();
        let member = members.find(|member| member["user_id"] == joined["user_id"]);
        let number =
            member.unwrap_or_else(|| panic!("{who} is a member"))["user_number"].as_i64().unwrap();
        let (_, made) = call(client, "/v1/api-keys", &json!({"name": "CI"})).await;
        let webhooks = format!("/v1/organizations/{organization}/webhooks");
        // Nobody answers there; what is told is not what this is about.
        let (_, webhook) =
            call(client, &webhooks, &json!({"url": "https://hooks.welcomat.invalid/"})).await;
        let (_, test) =
            call(client, &format!("{webhooks}/{}/test", text(&webhook["id"])), &json!({})).await;
        let own = format!("{webhooks}/{}", text(&webhook["id"]));
        eventually("the test has failed once", async || {
            let shown = client.get(&own).await.unwrap().json();
            shown["failing_since"].is_string().then_some(())
        })
        .await;
        template(client, organization).await;
        branding(client, organization).await;
        let delivery = text(&invitation["delivery"]["id"]);
        Self {
            organization: organization.to_owned(),
            number,
            invitation: text(&invitation["id"]),
            user: text(&joined["user_id"]),
            api_key: text(&made["id"]),
            dead_letter: dead_letters::insert(app, delivery.parse().unwrap()).await,
            batch: batch(client, organization, who).await,
            webhook: text(&webhook["id"]),
            webhook_delivery: text(&test["id"]),
            test_mail: test_mail(client, organization, who).await,
        }
    }
}

/// One that is finished, so that it changes no more by itself.
async fn batch(client: &Client, organization: &str, who: &str) -> String {
    let body = format!("email\n{who}-batch@example.com\n");
    let headers = [("Content-Type", "text/csv")];
    let taken = send_as(client, organization, &headers, "", body.as_bytes()).await;
    let path = taken.header("location").unwrap_or_else(|| panic!("{}", taken.text())).to_owned();
    text(&finished_at(client, &path).await["id"])
}

/// A mail in its own words, which nobody gets.
async fn template(client: &Client, organization: &str) {
    let path = format!("/v1/organizations/{organization}/templates/de");
    let words = json!({"subject": "s", "html": "{{accept_url}}", "text": "{{accept_url}}"});
    let headers = [("Content-Type", "application/json")];
    let saved = client.send("PUT", &path, &headers, words.to_string().as_bytes()).await.unwrap();
    assert_eq!(saved.status, 200, "{}", saved.text());
}

/// A look of its own, with a logo.
async fn branding(client: &Client, organization: &str) {
    let path = format!("/v1/organizations/{organization}/branding");
    let look = json!({"name": "Acme", "accent": "#7a1fa2"}).to_string();
    let logo = picture(100);
    for (path, kind, body) in [
        (path.clone(), "application/json", look.as_bytes()),
        (path + "/logo", "image/png", &logo[..]),
    ] {
        let kept = client.send("PUT", &path, &[("Content-Type", kind)], body).await.unwrap();
        assert_eq!(kept.status, 200, "{}", kept.text());
    }
}

/// One that is sent, so that it changes no more.
async fn test_mail(client: &Client, organization: &str, who: &str) -> String {
    let path = format!("/v1/organizations/{organization}/templates/de/test-send");
    let to = json!({"to": format!("{who}-test@example.com")});
    let (status, mail) = call(client, &path, &to).await;
    assert_eq!(status, 202, "{mail}");
    text(&mail["id"])
}

async fn call(client: &Client, path: &str, body: &Value) -> (u16, Value) {
    let answer = client.post(path, body).await.unwrap();
    (answer.status, answer.json())
}
