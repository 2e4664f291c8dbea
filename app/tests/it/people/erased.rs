//! Somebody with an unmistakable name is planted in every feature, and erased: no column of any table
//! tells of them any more.

use std::collections::BTreeSet;

use adapters::webhooks::Names;
use app::http::Client;
use serde_json::{Value, json};

use super::columns::{EMPTIED, NOBODYS, PLANTED, SEALED};
use super::dump::Dump;
use super::path;
use crate::batches;
use crate::harness::{Stack, TestApp, text};
use crate::servers::eventually;
use crate::tokens::holder;
use crate::webhooks::receiver::Receiver;
use crate::webhooks::{NEAR, register};

on_both_stacks!(nothing_tells_of_a_person_who_was_erased);

const EMAIL: &str = "Zerlinda.Quibble@example.com";
/// What stands nowhere else.
const WORDS: [&str; 4] = ["quibble", "zerlinda", "badge-7731", "executive team"];

/// The person in two organizations.
struct World {
    app: TestApp,
    /// Her accepted invitation to the first.
    joined: String,
    other: String,
    others: Client,
    receiver: Receiver,
}

impl World {
    async fn make(stack: Stack) -> Self {
        let app = TestApp::start_with_names(stack, &NEAR, Names::System).await;
        let receiver = Receiver::start().await;
        register(&app, &receiver.url(), None).await;
        let (other, others) = app.other_organization().await;
        // Whoever invites somebody first says how they are called.
        elsewhere(&app, &others).await;
        readdressed(&app).await;
        let joined = joined(&app).await;
        acts(&app).await;
        let suppressed = format!("/v1/organizations/{}/suppressions", app.organization);
        assert_eq!(app.act(&suppressed, &json!({ "email": EMAIL })).await.0, 200);
        assert_eq!(app.act("/v1/api-keys", &json!({ "name": EMAIL })).await.0, 201);
        Self { app, joined, other, others, receiver }
    }
}

/// A mail went to her that was meant for somebody else.
async fn readdressed(app: &TestApp) {
    let bob = app.invite(EMAIL).await;
    app.until(&bob, "sent").await;
    let changed = app.act(&format!("{bob}/address"), &json!({"email": "bob@example.com"})).await;
    assert_eq!(changed.0, 200, "{}", changed.1);
    app.until(&bob, "sent").await;
}

/// She joins the organization; gives her invitation's path.
async fn joined(app: &TestApp) -> String {
    let body = json!({
        "email": EMAIL, "first_name": "Zerlinda", "last_name": "Quibble",
        "metadata": {"badge": "badge-7731"},
    });
    let headers = [("Content-Type", "application/json"), ("Idempotency-Key", "first")];
    let body = body.to_string();
    let made = app.client.send("POST", &app.invitations(), &headers, body.as_bytes()).await;
    let path = made.unwrap().header("location").unwrap().to_owned();
    app.until(&path, "sent").await;
    let token = app.mails_to(EMAIL).await.pop().unwrap().token();
    let accept = json!({"token": token, "password": "correct horse battery"});
    assert_eq!(app.act("/v1/invitations/accept", &accept).await.0, 200);
    path
}

/// She does things by a token whose subject is her address, and is in a file.
async fn acts(app: &TestApp) {
    let she = holder(app, &json!({ "sub": EMAIL }));
    let friend = she.post(&app.invitations(), &json!({"email": "friend@example.com"})).await;
    assert_eq!(friend.unwrap().status, 201);
    let template = json!({
        "subject": "Join {{organization}}", "html": "<p><a href=\"{{accept_url}}\">Join</a></p>",
        "text": "{{accept_url}}",
    });
    let own = format!("/v1/organizations/{}/templates/de", app.organization);
    let headers = [("Content-Type", "application/json")];
    let saved = she.send("PUT", &own, &headers, template.to_string().as_bytes()).await.unwrap();
    assert_eq!(saved.status, 200, "{}", saved.text());
    let headers = [("Content-Type", "application/json"), ("Prefer", "wait=20")];
    let shown = json!({ "to": EMAIL }).to_string();
    let shown = she.send("POST", &format!("{own}/test-send"), &headers, shown.as_bytes()).await;
    assert_eq!(shown.unwrap().json()["status"], "sent");
    let rows =
        format!("email,first_name,last_name\n{EMAIL},Zerlinda,Quibble\ncarl@example.com,C,D\n");
    let headers = [("Content-Type", batches::CSV)];
    let sent = batches::send_as(&she, &app.organization, &headers, "", rows.as_bytes()).await;
    assert_eq!(sent.status, 202, "{}", sent.text());
    batches::finished(app, sent.header("location").unwrap()).await;
}

/// Another organization invites her by a contract, and names her in its key for that.
async fn elsewhere(app: &TestApp, others: &Client) {
    let body = json!({
        "email": EMAIL, "firstName": "Zerlinda", "lastName": "Quibble",
        "jobTitle": "Executive Team",
    });
    let key = format!("invite-{EMAIL}");
    let headers = [("Content-Type", "application/json"), ("Idempotency-Key", &key)];
    let body = body.to_string();
    let made =
        others.send("POST", "/iam/v1/users/invite", &headers, body.as_bytes()).await.unwrap();
    assert_eq!(made.status, 201, "{}", made.text());
    eventually("she has that mail, too", async || {
        (app.mails_to(EMAIL).await.len() == 1).then_some(())
    })
    .await;
}

fn length(export: &Value, field: &str) -> usize {
    export[field].as_array().unwrap_or_else(|| panic!("{field}: {export}")).len()
}

async fn nothing_tells_of_a_person_who_was_erased(stack: Stack) {
    let world = World::make(stack).await;
    let app = &world.app;
    let told = eventually("all is reported and told", async || {
        let dump = Dump::of(&app.database_url).await;
        let waiting = "delivery WHERE settled_at IS NULL";
        let untold = "webhook_delivery WHERE settled_at IS NULL";
        let done = dump.count(waiting).await + dump.count(untold).await == 0;
        dump.close().await;
        done.then(|| world.receiver.requests().len())
    })
    .await;
    let dump = Dump::of(&app.database_url).await;
    let planted: BTreeSet<String> = PLANTED.map(str::to_owned).into();
    let found: BTreeSet<String> = dump
        .with(&WORDS)
        .await
        .into_iter()
        .filter(|name| !EMPTIED.contains(&name.as_str()))
        .collect();
    assert_eq!(found, planted, "she is planted where somebody can be");
    if stack == Stack::Distributed {
        let known = [&PLANTED[..], &EMPTIED, &NOBODYS, &SEALED].concat();
        let known: BTreeSet<String> = known.into_iter().map(str::to_owned).collect();
        assert_eq!(
            dump.wordy(),
            known,
            "a new column: plant somebody in it, and find them in adapters/src/store/people"
        );
    }

    exports(&world).await;
    let body = json!({ "email": EMAIL });
    let own = world.others.post(&path(&world.other, "erase"), &body).await.unwrap();
    let erased = own.json();
    assert_eq!(
        (own.status, &erased["invitations"], &erased["user"]),
        (200, &json!(1), &json!(false))
    );
    assert!(dump.with(&WORDS).await.contains("invitation.email"), "only there");
    let all = app.operator().post("/v1/people/erase", &body).await.unwrap();
    let erased = all.json();
    assert_eq!(all.status, 200, "{erased}");
    let counts =
        ["invitations", "memberships", "suppressions", "batch_rows", "answers", "test_mails"];
    assert_eq!(counts.map(|name| erased[name].as_u64().unwrap()), [1; 6], "{erased}");
    assert_eq!(erased["user"], true);
    assert_eq!(dump.with(&WORDS).await, BTreeSet::new(), "nothing tells of her");
    // Not even half of her address, which the log had.
    assert_eq!(dump.with(&["z***@example.com"]).await, BTreeSet::new());

    let again = app.operator().post("/v1/people/erase", &body).await.unwrap().json();
    assert_eq!((&again["invitations"], &again["suppressions"]), (&json!(0), &json!(0)), "{again}");
    assert_eq!(
        dump.count("event WHERE kind = 'person.erased'").await,
        4,
        "each request in each log"
    );
    assert_eq!(dump.count("event WHERE kind = 'person.exported'").await, 3);
    dump.close().await;
    lives_on(&world, told).await;
}

async fn exports(world: &World) {
    let app = &world.app;
    let body = json!({ "email": EMAIL });
    let all = app.operator().post("/v1/people/export", &body).await.unwrap();
    assert_eq!(all.status, 200, "{}", all.text());
    let export = all.json();
    for (field, count) in [
        ("memberships", 2),
        ("invitations", 2),
        ("former_deliveries", 1),
        ("suppressions", 1),
        ("batch_rows", 1),
        ("answers", 2),
        ("test_mails", 1),
        ("captured_mails", 0),
    ] {
        assert_eq!(length(&export, field), count, "{field}: {export}");
    }
    assert!(length(&export, "announcements") >= 4 && length(&export, "events") >= 3, "{export}");
    assert_eq!(length(&export, "limits"), 4, "two organizations, a day and a week: {export}");
    assert_eq!(text(&export["user"]["last_name"]), "Quibble");
    assert_eq!(export["batch_rows"][0]["wanted"]["last_name"], "Quibble");
    assert_eq!(export["memberships"][0]["job_title"], "Executive Team");
    let theirs = world.others.post(&path(&world.other, "export"), &body).await.unwrap();
    assert_eq!(theirs.status, 200, "{}", theirs.text());
    assert!(!theirs.text().contains(&app.organization), "another organization's is not told");
    assert_eq!(length(&theirs.json(), "invitations"), 1);
}

/// History and counts are there, the one who was suppressed still is, and everybody else is untouched.
async fn lives_on(world: &World, told: usize) {
    let app = &world.app;
    let left = app.get(&world.joined).await;
    assert_eq!(text(&left["status"]), "accepted");
    assert_eq!(
        (text(&left["email"]), &left["metadata"]),
        ("erased@erased.invalid".into(), &json!({}))
    );
    assert!(length(&left, "events") >= 3, "{left}");
    let list = app.get(&format!("{}?email=bob@example.com", app.invitations())).await;
    assert_eq!(length(&list, "data"), 1);
    assert_eq!(world.receiver.requests().len(), told, "nobody is told of it");
    let list = format!("/v1/organizations/{}/suppressions", app.organization);
    let kept = app.get(&list).await;
    assert!(text(&kept["data"][0]["email"]).starts_with("sha256:"), "{kept}");

    let mails = app.mails_to(EMAIL).await.len();
    let invited = app.post(&json!({ "email": EMAIL })).await.json();
    assert_eq!(invited["delivery"]["status"], "suppressed", "{invited}");
    let rows = format!("email\n{}\n", EMAIL.to_uppercase());
    let file = batches::taken(app, batches::CSV, &rows).await;
    batches::finished(app, &file).await;
    let (_, same) = app.act(&list, &json!({ "email": EMAIL })).await;
    assert_eq!(same["id"], kept["data"][0]["id"], "she is not written down again");
    app.invite_and_receive("somebody@example.com").await;
    assert_eq!(app.mails_to(EMAIL).await.len(), mails, "no mail for her");
    let whose = json!({ "email": EMAIL });
    let lifted = app.client.post(&format!("{list}/lift"), &whose).await.unwrap();
    assert_eq!(lifted.status, 204, "{}", lifted.text());
    assert_eq!(length(&app.get(&list).await, "data"), 0);
}
