//! What a reader would put into the environment for a sample, made afresh for each.

use domain::DeliveryId;
use serde_json::json;
use tempfile::TempDir;

use super::Sample;
use crate::batches;
use crate::branding::picture;
use crate::contracts::users_organizations::{admin, session};
use crate::dead_letters;
use crate::harness::{INSTANCE_KEY, KEY, TestApp, text};
use crate::mail::TestMail;
use crate::tokens::token_of_admin;

/// A reader's own ids and secrets.
pub struct Own<'a> {
    app: &'a TestApp,
    invited: usize,
    folder: TempDir,
}

impl<'a> Own<'a> {
    pub fn new(app: &'a TestApp) -> Self {
        Self { app, invited: 0, folder: tempfile::tempdir().unwrap() }
    }

    /// A value for each variable in the sample. The address that samples invite is free again.
    pub async fn variables(&mut self, sample: &Sample) -> Vec<(String, String)> {
        self.free("ann@example.com").await;
        self.free("lee@example.com").await;
        self.suppress("ann@example.com", sample.operation == "lift_suppression").await;
        let key = match sample.operation.as_str() {
            "create_organization" | "export_person_everywhere" | "erase_person_everywhere" => {
                INSTANCE_KEY.to_owned()
            }
            "list_own_invitations" => token_of_admin(self.app).await,
            _ => KEY.to_owned(),
        };
        let mut variables =
            vec![pair("WELCOMAT_URL", &self.app.url), pair("WELCOMAT_API_KEY", &key)];
        let wants = |name: &str| sample.source.contains(name);
        if wants("ORGANIZATION_ID") {
            variables.push(pair("ORGANIZATION_ID", &self.app.organization));
        }
        if sample.operation == "reschedule_invitation" {
            variables.push(pair("INVITATION_ID", &self.scheduled().await));
        } else if ["INVITATION_ID", "INVITATION_TOKEN", "MESSAGE_ID"].into_iter().any(wants) {
            let (id, message, mail) = self.invite().await;
            variables.push(pair("INVITATION_ID", &id));
            variables.push(pair("INVITATION_TOKEN", &mail.token()));
            variables.push(pair("MESSAGE_ID", &message));
        }
        if sample.operation == "remove_member" {
            variables.push(pair("USER_ID", &self.member().await));
        }
        if wants("SESSION_TOKEN") {
            // A contract that goes by numbers.
            let user = admin(self.app).await;
            variables.push(pair("USER_ID", &user.to_string()));
            variables.push(pair("SESSION_TOKEN", &session(self.app, user)));
        }
        if wants("API_KEY_ID") {
            let (_, made) = self.app.act("/v1/api-keys", &json!({"name": "sample"})).await;
            variables.push(pair("API_KEY_ID", &text(&made["id"])));
        }
        if wants("BATCH_ID") {
            variables.push(pair("BATCH_ID", &self.batch().await));
        }
        if wants("WEBHOOK_ID") {
            let (id, delivery) = self.webhook().await;
            variables.push(pair("WEBHOOK_ID", &id));
            variables.push(pair("WEBHOOK_DELIVERY_ID", &delivery));
        }
        if sample.operation == "create_webhook" {
            self.webhooks_away().await;
        }
        if wants("/templates/de") {
            self.template().await;
        }
        if sample.operation == "replace_logo" {
            let file = self.folder.path().join("logo.png");
            std::fs::write(&file, picture(100)).unwrap();
            variables.push(pair("FILE", file.to_str().unwrap()));
        }
        if wants("TEST_MAIL_ID") {
            variables.push(pair("TEST_MAIL_ID", &self.test_mail().await));
        }
        if wants("DEAD_LETTER_ID") {
            variables.push(pair("DEAD_LETTER_ID", &self.dead_letter().await));
        }
        variables
    }

    async fn free(&self, email: &str) {
        let list = format!("{}?status=pending&email={email}", self.app.invitations());
        for invitation in self.app.get(&list).await["data"].as_array().unwrap() {
            let path = format!("{}/{}", self.app.invitations(), text(&invitation["id"]));
            let revoke = format!("{path}/revoke");
            // While the mail is being sent, it cannot be taken back.
            self.app.until(&path, "sent").await;
            assert_eq!(self.app.act(&revoke, &json!({})).await.0, 200);
        }
    }

    /// A reader has an address on the list, or has it not.
    async fn suppress(&self, email: &str, wanted: bool) {
        let all = format!("/v1/organizations/{}/suppressions", self.app.organization);
        let path = if wanted { all } else { format!("{all}/lift") };
        let body = json!({ "email": email });
        let answer = self.app.client.post(&path, &body).await.unwrap();
        assert!([200, 204, 404].contains(&answer.status), "{}", answer.text());
    }

    async fn invite(&mut self) -> (String, String, TestMail) {
        self.invited += 1;
        let email = format!("reader{}@example.com", self.invited);
        let (invitation, mail) = self.app.invite_and_receive(&email).await;
        let id = text(&self.app.get(&invitation).await["id"]);
        let messages = self.app.get("/inbox/messages").await;
        let mut messages = messages.as_array().unwrap().iter();
        let message = messages.find(|message| message["invitation_id"] == id).unwrap();
        (id, text(&message["id"]), mail)
    }

    async fn scheduled(&mut self) -> String {
        self.invited += 1;
        let send_at = (self.app.clock.now() + chrono::TimeDelta::days(1)).to_rfc3339();
        let email = format!("reader{}@example.com", self.invited);
        let made = self.app.post(&json!({ "email": email, "send_at": send_at })).await;
        assert_eq!(made.status, 201, "{}", made.text());
        text(&made.json()["id"])
    }

    async fn member(&mut self) -> String {
        let (_, _, mail) = self.invite().await;
        let accept = json!({"token": mail.token(), "password": "correct horse battery"});
        let (status, accepted) = self.app.act("/v1/invitations/accept", &accept).await;
        assert_eq!(status, 200, "{accepted}");
        text(&accepted["user_id"])
    }

    async fn batch(&mut self) -> String {
        self.invited += 1;
        let body = format!("email\nrow{}@example.com\n", self.invited);
        let path = batches::taken(self.app, batches::CSV, &body).await;
        text(&batches::finished(self.app, &path).await["id"])
    }

    /// One that nobody hears, and what it was told.
    async fn webhook(&self) -> (String, String) {
        self.webhooks_away().await;
        let webhooks = format!("/v1/organizations/{}/webhooks", self.app.organization);
        let url = json!({"url": "https://hooks.welcomat.invalid/"});
        let (status, made) = self.app.act(&webhooks, &url).await;
        assert_eq!(status, 201, "{made}");
        let id = text(&made["id"]);
        let (_, test) = self.app.act(&format!("{webhooks}/{id}/test"), &json!({})).await;
        (id, text(&test["id"]))
    }

    /// There is a limit on how many there may be.
    async fn webhooks_away(&self) {
        let webhooks = format!("/v1/organizations/{}/webhooks", self.app.organization);
        for webhook in self.app.get(&webhooks).await["data"].as_array().unwrap() {
            let path = format!("{webhooks}/{}", text(&webhook["id"]));
            let deleted = self.app.client.send("DELETE", &path, &[], b"").await.unwrap();
            assert_eq!(deleted.status, 204);
        }
    }

    /// In German, in which no sample invites.
    async fn template(&self) {
        let path = format!("/v1/organizations/{}/templates/de", self.app.organization);
        let words = json!({"subject": "s", "html": "{{accept_url}}", "text": "{{accept_url}}"});
        let json = [("Content-Type", "application/json")];
        let body = words.to_string();
        let saved = self.app.client.send("PUT", &path, &json, body.as_bytes()).await.unwrap();
        assert_eq!(saved.status, 200, "{}", saved.text());
    }

    async fn test_mail(&self) -> String {
        let own = format!("/v1/organizations/{}/templates/de", self.app.organization);
        let to = json!({"to": "sample@example.com"});
        let (status, mail) = self.app.act(&format!("{own}/test-send"), &to).await;
        assert_eq!(status, 202, "{mail}");
        text(&mail["id"])
    }

    /// Nothing over HTTP makes one.
    async fn dead_letter(&mut self) -> String {
        let (id, ..) = self.invite().await;
        let path = format!("{}/{id}", self.app.invitations());
        let delivery: DeliveryId =
            text(&self.app.get(&path).await["delivery"]["id"]).parse().unwrap();
        dead_letters::insert(self.app, delivery).await
    }
}

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}
