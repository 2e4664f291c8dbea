//! Several API and worker processes over one database, one broker and one SMTP server.

use std::collections::HashMap;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use app::http::{Answer, Client};
use futures_util::stream::{StreamExt, iter};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{KEY, text};
use crate::mail::TestMail;
use crate::servers::{
    FreshDatabase, eventually, eventually_within, remove_queues, unique, variable,
};
use crate::smtp_sink::SmtpSink;

use super::history::{History, Tally};
use super::process::{FILE_LIMIT, Process};

/// Thousands of mails by a debug build on a busy machine.
const LONG: Duration = Duration::from_mins(5);
const AT_ONCE: usize = 16;

/// The processes and what they share.
pub struct Fleet {
    pub sink: SmtpSink,
    /// What was asked for and what was promised.
    pub history: Mutex<History>,
    pub apis: Vec<Api>,
    pub workers: Vec<Process>,
    organization: String,
    env: Vec<(String, String)>,
    database: Option<FreshDatabase>,
    pub amqp: String,
    /// What the names of exchanges and queues begin with.
    pub prefix: String,
    folder: TempDir,
}

/// One API process, and a client that speaks to it alone.
pub struct Api {
    pub process: Process,
    pub address: SocketAddr,
    pub client: Client,
}

impl Fleet {
    /// Starts with no process yet; `env` goes to all of them.
    pub async fn new(amqp: String, env: &[(&str, &str)]) -> Self {
        Self::over(Some(FreshDatabase::create().await), amqp, env).await
    }

    /// Over a database of the caller's choice; without one, over an `SQLite` file that all share.
    pub async fn over(database: Option<FreshDatabase>, amqp: String, env: &[(&str, &str)]) -> Self {
        let sink = SmtpSink::start().await;
        let prefix = unique("test");
        let folder = tempfile::tempdir().unwrap();
        let seal_keys = format!("k1:{}=", "A".repeat(43));
        let own = [
            ("WELCOMAT_DATABASE_URL", database.as_ref().map_or("", |database| &database.url)),
            ("WELCOMAT_DATABASE_MAX_CONNECTIONS", "10"),
            ("WELCOMAT_BROKER_URL", &amqp),
            ("WELCOMAT_BROKER_PREFIX", &prefix),
            ("WELCOMAT_MAIL_URL", &sink.url()),
            ("WELCOMAT_DATA_DIR", folder.path().to_str().unwrap()),
            ("WELCOMAT_SEAL_KEYS", &seal_keys),
            ("WELCOMAT_BOOTSTRAP_API_KEY", KEY),
            ("WELCOMAT_LOG_FILTER", "error"),
        ];
        let env = own.iter().chain(env).map(|(name, value)| ((*name).into(), (*value).into()));
        let env = env.collect();
        Self {
            sink,
            history: Mutex::default(),
            apis: Vec::new(),
            workers: Vec::new(),
            organization: String::new(),
            env,
            database,
            amqp,
            prefix,
            folder,
        }
    }

    /// On the broker that all tests share.
    pub async fn on_shared_broker(env: &[(&str, &str)]) -> Self {
        Self::new(variable("TEST_AMQP_URL"), env).await
    }

    /// Starts one more API and waits until it answers.
    pub async fn add_api(&mut self) {
        self.add_api_with(&[]).await;
    }

    /// Starts one more API with settings, or a fail point, of its own.
    pub async fn add_api_with(&mut self, env: &[(&str, &str)]) {
        let api = self.start_api(env);
        let me = eventually("the API answers", async || api.client.get("/v1/me").await.ok()).await;
        self.organization = text(&me.json()["organization"]["id"]);
        self.apis.push(api);
    }

    /// Starts one more API whose files cannot grow beyond so many blocks of 512 bytes.
    pub async fn add_cramped_api(&mut self, blocks: u32) {
        self.add_api_with(&[(FILE_LIMIT, &blocks.to_string())]).await;
    }

    /// Starts an API without waiting for it; it is not among the fleet's.
    pub fn start_api(&self, env: &[(&str, &str)]) -> Api {
        let address = free_address();
        let bind = address.to_string();
        let own = [&[("WELCOMAT_HTTP_BIND", bind.as_str())], env].concat();
        let process = Process::start("welcomat-api", &self.with_env(&own));
        Api { process, address, client: Client::new(address, Some(KEY.to_owned())) }
    }

    /// Starts one more worker.
    pub fn add_worker(&mut self) {
        self.add_worker_with(&[]);
    }

    /// Starts one more worker with settings, or a fail point, of its own.
    pub fn add_worker_with(&mut self, env: &[(&str, &str)]) {
        self.workers.push(self.start_worker(env));
    }

    /// Starts a worker that is not among the fleet's.
    pub fn start_worker(&self, env: &[(&str, &str)]) -> Process {
        Process::start("welcomat-worker", &self.with_env(env))
    }

    /// The common settings and then these, which count if both name the same.
    fn with_env(&self, env: &[(&str, &str)]) -> Vec<(String, String)> {
        let own = env.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        self.env.iter().cloned().chain(own).collect()
    }

    /// Changes a setting of the processes that start from now on.
    pub fn set(&mut self, name: &str, value: &str) {
        self.env.push((name.to_owned(), value.to_owned()));
    }

    /// A file of this fleet alone, for a process to write.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Where the database is, as the processes see it.
    pub fn database_url(&self) -> String {
        let given = self.env.iter().rev().find(|(name, _)| name == "WELCOMAT_DATABASE_URL");
        match given {
            Some((_, url)) if !url.is_empty() => url.clone(),
            _ => format!("sqlite://{}", self.file("welcomat.db").display()),
        }
    }

    /// Asks all workers to stop and waits until they have.
    pub fn stop_workers(&mut self) {
        for worker in &mut self.workers {
            worker.terminate();
        }
        self.workers.clear();
    }

    /// Kills all workers as a crash does.
    pub fn kill_workers(&mut self) {
        self.workers.drain(..).for_each(Process::kill);
    }

    /// Invites `n<number>@example.com` over all APIs; each must answer 201.
    pub async fn invite(&self, numbers: std::ops::Range<usize>) {
        let refused = self.offer(numbers).await;
        assert_eq!(refused, [""; 0], "every invitation is taken");
    }

    /// Invites as [`Self::invite`] does, each once, whatever the answer; gives what was not a 201.
    pub async fn offer(&self, numbers: std::ops::Range<usize>) -> Vec<String> {
        let offered = iter(numbers).map(|number| async move {
            let answer = self.offer_one(number, &self.apis[number % self.apis.len()].client).await;
            match answer {
                Ok(answer) if answer.status == 201 => None,
                Ok(answer) => Some(format!("{} {}", answer.status, answer.text())),
                Err(error) => Some(error.to_string()),
            }
        });
        offered.buffer_unordered(AT_ONCE).filter_map(async |refused| refused).collect().await
    }

    /// Invites one over this API, with an `Idempotency-Key` that is always the same for a number.
    pub async fn offer_one(&self, number: usize, client: &Client) -> std::io::Result<Answer> {
        self.offer_named(number, "", client).await
    }

    /// The same, for somebody with a first name.
    pub async fn offer_named(
        &self,
        number: usize,
        first_name: &str,
        client: &Client,
    ) -> std::io::Result<Answer> {
        let path = format!("/v1/organizations/{}/invitations", self.organization);
        let (email, key) = (format!("n{number}@example.com"), format!("invite-{number}"));
        self.history.lock().unwrap().attempted(&email);
        let headers = [("Content-Type", "application/json"), ("Idempotency-Key", key.as_str())];
        let mut body = json!({"email": email});
        if !first_name.is_empty() {
            body["first_name"] = first_name.into();
        }
        let body = body.to_string();
        let answer = client.send("POST", &path, &headers, body.as_bytes()).await?;
        if answer.status == 201 {
            self.history.lock().unwrap().acknowledged(&email, &answer.json());
        }
        Ok(answer)
    }

    /// Offers again, as a client that gets no answer does, until every one of them is taken.
    pub async fn insist(&self, numbers: std::ops::Range<usize>) {
        let insisted = iter(numbers).map(|number| async move {
            let client = &self.apis[number % self.apis.len()].client;
            eventually_within(LONG, "the invitation is taken", async || {
                let answer = self.offer_one(number, client).await;
                answer.ok().filter(|answer| answer.status == 201)
            })
            .await;
        });
        insisted.buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
    }

    /// Invites that many people at once, over all APIs; gives the statuses.
    pub async fn invite_at_once(&self, count: usize) -> Vec<u16> {
        let path = format!("/v1/organizations/{}/invitations", self.organization);
        let invited = (0..count).map(|number| {
            let client = &self.apis[number % self.apis.len()].client;
            let (path, body) = (&path, json!({"email": format!("n{number}@example.com")}));
            async move { client.post(path, &body).await.unwrap().status }
        });
        futures_util::future::join_all(invited).await
    }

    /// Waits until that many mails were taken in all.
    pub async fn until_mails(&self, count: usize) {
        let what = format!("{count} mails arrive");
        eventually_within(LONG, &what, async || (self.sink.count() >= count).then_some(())).await;
    }

    /// Waits until every delivery is `sent` and checks that there are as many as invitations.
    pub async fn until_all_sent(&self, count: usize) {
        for status in ["queued", "sending", "retrying", "uncertain"] {
            let what = format!("nothing is {status}");
            let filter = format!("limit=1&delivery_status={status}");
            eventually_within(LONG, &what, async || {
                let page = self.list(&filter).await;
                (page["data"] == json!([])).then_some(())
            })
            .await;
        }
        // Between two looks an uncertain delivery may have become one that is sending again.
        let all = eventually_within(LONG, "everything is sent", async || {
            let all = self.all().await;
            all.iter().all(|found| found["delivery"]["status"] == "sent").then_some(all)
        })
        .await;
        assert_eq!(all.len(), count);
        assert!(all.iter().all(|invitation| invitation["email_sent"] == true));
    }

    /// Waits until every mail is sent or given up, then compares all that is known.
    pub async fn settled(&self) -> Tally {
        let rows = eventually_within(LONG, "every delivery is settled", async || {
            for status in ["queued", "sending", "retrying", "uncertain"] {
                let page = self.list(&format!("limit=1&delivery_status={status}")).await;
                if page["data"] != json!([]) {
                    return None;
                }
            }
            let all = self.all().await;
            let settled = |status: &Value| status == "sent" || status == "failed";
            all.iter().all(|found| settled(&found["delivery"]["status"])).then_some(all)
        })
        .await;
        self.history.lock().unwrap().compare(&self.mails(), &rows)
    }

    /// All invitations.
    pub async fn all(&self) -> Vec<Value> {
        let mut all = Vec::new();
        let mut filter = "limit=100".to_owned();
        loop {
            let page = self.list(&filter).await;
            all.extend(page["data"].as_array().unwrap().iter().cloned());
            let Some(cursor) = page["next_cursor"].as_str() else { return all };
            filter = format!("limit=100&cursor={cursor}");
        }
    }

    /// One invitation with all that is known of its mails.
    pub async fn detail(&self, number: usize) -> Value {
        let email = format!("n{number}@example.com");
        let all = self.all().await;
        let found = all.iter().find(|found| found["email"] == email.as_str()).unwrap();
        let path =
            format!("/v1/organizations/{}/invitations/{}", self.organization, text(&found["id"]));
        let answer = self.apis[0].client.get(&path).await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    /// One page of invitations.
    pub async fn list(&self, filter: &str) -> Value {
        let path = format!("/v1/organizations/{}/invitations?{filter}", self.organization);
        let answer = self.apis[0].client.get(&path).await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    /// The mails by recipient.
    pub fn mails(&self) -> HashMap<String, Vec<TestMail>> {
        let mut by_recipient: HashMap<String, Vec<TestMail>> = HashMap::new();
        for mail in self.sink.mails() {
            by_recipient.entry(mail.to.clone()).or_default().push(mail);
        }
        by_recipient
    }

    /// Stops everything and removes what the test made on the shared servers.
    pub async fn end(mut self) {
        self.stop_workers();
        for api in &mut self.apis {
            api.process.terminate();
        }
        self.apis.clear();
        remove_queues(&self.amqp, &self.prefix).await;
        if let Some(database) = self.database.take() {
            database.remove().await;
        }
    }
}

pub fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).unwrap()
}
