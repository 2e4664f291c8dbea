//! Mails in an organization's own words: which of them counts, what is refused, and that a mail is made
//! from one version, whatever happens to the template meanwhile.

use std::collections::BTreeSet;

use app::http::{Answer, Client};
use serde_json::{Value, json};

use crate::harness::{Stack, TestApp, text};
use crate::mail::TestMail;

on_both_stacks!(
    a_campaign_goes_on_while_its_template_is_edited_and_rolled_back,
    a_broken_template_parks_its_mails_until_it_is_mended,
    the_nearest_template_counts_and_in_its_organization_alone,
    what_would_make_no_good_mail_is_refused_with_its_place,
);

/// Long enough that a name of 60 letters makes too large a mail of it, and a short one does not.
const NAMES: usize = 400;
/// What is there beside the names.
const PADDING: usize = 89_000;

/// The same word in each part of the mail.
fn marked(word: &str) -> Value {
    json!({
        "subject": format!("{word}: {{{{organization}}}}"),
        "html": format!("<p>part-{word} <a href=\"{{{{accept_url}}}}\">Join</a></p>"),
        "text": format!("part-{word}\n{{{{accept_url}}}}\n"),
    })
}

fn path(organization: &str, locale: &str) -> String {
    format!("/v1/organizations/{organization}/templates/{locale}")
}

async fn put(client: &Client, path: &str, template: &Value) -> Answer {
    let json = [("Content-Type", "application/json")];
    client.send("PUT", path, &json, template.to_string().as_bytes()).await.unwrap()
}

async fn saved(client: &Client, path: &str, template: &Value) -> u64 {
    let answer = put(client, path, template).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["version"].as_u64().unwrap()
}

/// The one word that all three parts of a mail have.
fn word_of(mail: &TestMail) -> String {
    let word = mail.subject.split(':').next().unwrap().to_owned();
    let parts: BTreeSet<&str> = mail
        .source
        .match_indices("part-")
        .map(|(at, _)| mail.source[at + 5..].split([' ', '\\', '\r', '\n', '=']).next().unwrap())
        .collect();
    assert_eq!(parts, BTreeSet::from([word.as_str()]), "one mail of one version: {}", mail.source);
    assert!(mail.text.contains(&format!("part-{word}")), "{}", mail.text);
    word
}

async fn a_campaign_goes_on_while_its_template_is_edited_and_rolled_back(stack: Stack) {
    let app = TestApp::start(stack).await;
    let own = path(&app.organization, "default");
    assert_eq!(saved(&app.client, &own, &marked("v1")).await, 1);
    let people = 60;
    let campaign = async {
        let mut invited = Vec::new();
        for number in 0..people {
            let email = format!("person{number}@example.com");
            invited.push((app.invite(&email).await, email));
        }
        invited
    };
    let editor = async {
        for round in 2..=6 {
            assert_eq!(saved(&app.client, &own, &marked(&format!("v{round}"))).await, round);
            let back = json!({"version": round - 1});
            let (status, rolled) = app.act(&format!("{own}/rollback"), &back).await;
            assert_eq!((status, &rolled["version"]), (200, &json!(round - 1)), "{rolled}");
            assert_eq!(rolled["subject"], format!("v{}: {{{{organization}}}}", round - 1));
        }
    };
    let (invited, ()) = tokio::join!(campaign, editor);
    let mut words = BTreeSet::new();
    for (invitation, email) in &invited {
        let sent = app.until(invitation, "sent").await;
        let mails = app.mails_to(email).await;
        assert_eq!(mails.len(), 1, "{email}");
        let word = word_of(&mails[0]);
        // The delivery says which version its mail is of.
        assert_eq!(sent["delivery"]["template"], format!("default/{}", &word[1..]), "{word}");
        words.insert(word);
    }
    assert!(words.len() > 1, "the template changed while mails were made: {words:?}");
    let (last, mail) = app.invite_and_receive("last@example.com").await;
    assert_eq!(word_of(&mail), "v5", "rolled back to the last but one");
    assert_eq!(app.get(&last).await["delivery"]["template"], "default/5");
    let versions = app.get(&format!("{own}/versions")).await;
    let told: Vec<_> = versions["data"].as_array().unwrap().iter().collect();
    let numbers: Vec<u64> = told.iter().map(|one| one["version"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [6, 5, 4, 3, 2, 1]);
    let current: Vec<bool> = told.iter().map(|one| one["current"] == true).collect();
    assert_eq!(current, [false, true, false, false, false, false]);
    assert!(text(&told[0]["actor"]).contains("key:"), "{versions}");
}

async fn a_broken_template_parks_its_mails_until_it_is_mended(stack: Stack) {
    let app = TestApp::start(stack).await;
    let own = path(&app.organization, "default");
    let mut large = marked("large");
    let names = "{{organization}}\n".repeat(NAMES);
    large["html"] = format!("{{{{accept_url}}}}{}{names}", "x\n".repeat(PADDING / 2)).into();
    saved(&app.client, &own, &large).await;
    let (_, mail) = app.invite_and_receive("before@example.com").await;
    assert!(mail.subject.starts_with("large"), "it makes mails: {}", mail.subject);
    // What nobody tried when it was saved.
    let organization = format!("/v1/organizations/{}", app.organization);
    let name = json!({"name": "A very long name ".repeat(3) + "indeed"}).to_string();
    let json = [("Content-Type", "application/json")];
    let renamed = app.client.send("PATCH", &organization, &json, name.as_bytes()).await.unwrap();
    assert_eq!(renamed.status, 200, "{}", renamed.text());

    let (_, stranger) = app.other_organization().await;
    let mut parked = Vec::new();
    for number in 0..5 {
        parked.push(app.invite(&format!("parked{number}@example.com")).await);
    }
    for invitation in &parked {
        let found = app.until(invitation, "retrying").await;
        let delivery = &found["delivery"];
        assert_eq!(delivery["reason"], "parked", "{delivery}");
        let detail = text(&delivery["detail"]);
        assert!(detail.contains("default/1") && detail.contains("html: becomes"), "{detail}");
        assert_eq!(
            (&delivery["attempts"], &delivery["template"]),
            (&json!(0), &json!("default/1"))
        );
    }
    assert_eq!(app.mails().await.len(), 1, "no half mail leaves");
    // Nobody else waits.
    let others = text(&stranger.get("/v1/me").await.unwrap().json()["organization"]["id"]);
    let others = format!("/v1/organizations/{others}/invitations");
    let invited = stranger.post(&others, &json!({"email": "eve@example.com"})).await.unwrap();
    let theirs = format!("{others}/{}", text(&invited.json()["id"]));
    crate::servers::eventually("the other organization's mail is sent", async || {
        let found = stranger.get(&theirs).await.unwrap().json();
        (found["delivery"]["status"] == "sent").then_some(())
    })
    .await;
    // To try again what is still broken parks it again and loses nothing.
    let (status, retried) =
        app.act(&format!("{organization}/parked-mails/retry"), &json!({})).await;
    assert_eq!((status, &retried["retried"]), (200, &json!(5)), "{retried}");
    crate::servers::eventually("all are parked once more", async || {
        for invitation in &parked {
            let found = app.get(invitation).await;
            let tries = found["deliveries"][0]["attempts_log"].as_array().unwrap().len();
            if tries < 2 || found["delivery"]["status"] != "retrying" {
                return None;
            }
        }
        Some(())
    })
    .await;
    assert_eq!(saved(&app.client, &own, &marked("mended")).await, 2);
    for (number, invitation) in parked.iter().enumerate() {
        let sent = app.until(invitation, "sent").await;
        assert_eq!(
            (&sent["delivery"]["template"], &sent["delivery"]["attempts"]),
            (&json!("default/2"), &json!(1))
        );
        let mails = app.mails_to(&format!("parked{number}@example.com")).await;
        assert_eq!(mails.len(), 1);
        assert_eq!(word_of(&mails[0]), "mended");
    }
}

async fn the_nearest_template_counts_and_in_its_organization_alone(stack: Stack) {
    let app = TestApp::start(stack).await;
    saved(&app.client, &path(&app.organization, "de"), &marked("german")).await;
    saved(&app.client, &path(&app.organization, "pt_br"), &marked("portuguese")).await;
    let default = path(&app.organization, "default");
    saved(&app.client, &default, &marked("any")).await;
    let subject = async |client: &Client, organization: &str, email: &str, locale: &str| {
        let invitations = format!("/v1/organizations/{organization}/invitations");
        let wanted = json!({"email": email, "locale": locale});
        let invited = client.post(&invitations, &wanted).await.unwrap();
        let one = format!("{invitations}/{}", text(&invited.json()["id"]));
        let delivery = crate::servers::eventually("the mail is sent", async || {
            let found = client.get(&one).await.unwrap().json();
            (found["delivery"]["status"] == "sent").then(|| found["delivery"].clone())
        })
        .await;
        (app.mails_to(email).await.remove(0).subject, delivery["template"].clone())
    };
    let organization = app.organization.as_str();
    for (number, (locale, word, template)) in
        [("de-AT", "german", "de/1"), ("pt", "portuguese", "pt-BR/1"), ("fr", "any", "default/1")]
            .into_iter()
            .enumerate()
    {
        let email = format!("reader{number}@example.com");
        let (subject, recorded) = subject(&app.client, organization, &email, locale).await;
        assert!(subject.starts_with(word), "{locale}: {subject}");
        assert_eq!(recorded, template);
    }
    let (other, stranger) = app.other_organization().await;
    let (shipped, recorded) = subject(&stranger, &other, "eve@example.com", "de").await;
    assert!(shipped.contains("Other") && !shipped.starts_with("german"), "{shipped}");
    assert!(recorded.is_null());
    // Theirs of the same language is another one, with numbers of its own.
    assert_eq!(saved(&stranger, &path(&other, "de"), &marked("theirs")).await, 1);
    let (theirs, _) = subject(&stranger, &other, "ewa@example.com", "de").await;
    assert!(theirs.starts_with("theirs"), "{theirs}");
    let (own, _) = subject(&app.client, organization, "own@example.com", "de").await;
    assert!(own.starts_with("german"), "{own}");
    for foreign in [path(organization, "de"), path(organization, "de") + "/versions"] {
        assert_eq!(stranger.get(&foreign).await.unwrap().status, 404);
    }
    let deleted = app.client.send("DELETE", &default, &[], b"").await.unwrap();
    assert_eq!(deleted.status, 204);
    assert_eq!(app.client.get(&default).await.unwrap().status, 404);
    let (shipped, recorded) = subject(&app.client, organization, "late@example.com", "fr").await;
    assert!(shipped.contains("Acme") && !shipped.starts_with("any"), "{shipped}");
    assert!(recorded.is_null());
    // What was deleted can be rolled back to, and its number is never given again.
    let (status, _) = app.act(&format!("{default}/rollback"), &json!({"version": 1})).await;
    assert_eq!(status, 200);
    assert_eq!(saved(&app.client, &default, &marked("again")).await, 2);
    let listed = app.get(&format!("/v1/organizations/{organization}/templates")).await;
    let listed = listed["data"].as_array().unwrap();
    let listed: Vec<_> = listed.iter().map(|one| (&one["locale"], &one["version"])).collect();
    let expected = [("de", 1), ("default", 2), ("pt-BR", 1)].map(|(tag, n)| (json!(tag), json!(n)));
    assert_eq!(listed, expected.each_ref().map(|(tag, n)| (tag, n)));
}

async fn what_would_make_no_good_mail_is_refused_with_its_place(stack: Stack) {
    let app = TestApp::start(stack).await;
    let own = path(&app.organization, "de");
    let broken = json!({
        "subject": "{{organisation}}",
        "html": "<p>\n  {{frist_name}}</p>",
        "text": "{{#if inviter}}{{accept_url}}",
    });
    let answer = put(&app.client, &own, &broken).await;
    assert_eq!((answer.status, &answer.json()["code"]), (422, &json!("template_invalid")));
    let errors = answer.json()["errors"].as_array().unwrap().clone();
    let fields: Vec<_> = errors.iter().map(|error| text(&error["field"])).collect();
    assert_eq!(fields, ["subject", "html", "text"]);
    let html = text(&errors[1]["message"]);
    assert!(html.starts_with("line 2, column 3: there is no variable \"frist_name\""), "{html}");
    let mut missing = marked("x");
    missing["text"] = "Join us".into();
    let answer = put(&app.client, &own, &missing).await;
    assert_eq!((answer.status, &answer.json()["code"]), (422, &json!("template_invalid")));
    let without = put(&app.client, &own, &json!({"html": "{{accept_url}}"})).await;
    assert_eq!(without.status, 422, "{}", without.text());
    assert_eq!(app.client.get(&own).await.unwrap().status, 404, "nothing is saved");
    let (status, _) = app.act(&format!("{own}/rollback"), &json!({"version": 7})).await;
    assert_eq!(status, 404);
    for nowhere in ["x", "de_", "..%2Fx"] {
        let answer = put(&app.client, &path(&app.organization, nowhere), &marked("x")).await;
        assert_eq!(answer.status, 404, "{nowhere}");
    }

    // The mail that everybody has is a good beginning.
    let original = app.get(&format!("{own}/original")).await;
    assert_eq!(saved(&app.client, &own, &original).await, 1);
    let (status, preview) = app.act(&format!("{own}/preview"), &marked("look")).await;
    assert_eq!(status, 200, "{preview}");
    assert_eq!(preview["subject"], "look: Acme");
    assert!(text(&preview["html"]).contains("https://invite.example.com/i/sample"), "{preview}");
    let (status, preview) = app.act(&format!("{own}/preview"), &json!({})).await;
    assert!(status == 200 && text(&preview["text"]).contains("Grace"), "{preview}");
    let (status, preview) = app.act(&format!("{own}/preview"), &broken).await;
    assert_eq!((status, &preview["code"]), (422, &json!("template_invalid")));
    let reader = put(&app.operator(), &own, &marked("operator")).await;
    assert_eq!(reader.status, 200, "an operator may, too: {}", reader.text());
}
