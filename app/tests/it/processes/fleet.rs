//! Several API and worker processes over one database, one broker and one SMTP server.

use std::collections::HashMap;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use app::http::Client;
use futures_util::stream::{StreamExt, iter};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{KEY, text};
use crate::mail::TestMail;
use crate::servers::{
    FreshDatabase, eventually, eventually_within, remove_queues, unique, variable,
};
use crate::smtp_sink::SmtpSink;

/// Thousands of mails by a debug build on a busy machine.
const LONG: Duration = Duration::from_mins(5);
const AT_ONCE: usize = 16;

/// The processes and what they share.
pub struct Fleet {
    pub sink: SmtpSink,
    apis: Vec<(Process, Client)>,
    workers: Vec<Process>,
    organization: String,
    env: Vec<(String, String)>,
    database: Option<FreshDatabase>,
    amqp: String,
    prefix: String,
    _folder: TempDir,
}

/// A process that does not outlive the test.
struct Process(Child);

impl Fleet {
    /// Starts with no process yet; `env` goes to all of them.
    pub async fn new(amqp: String, env: &[(&str, &str)]) -> Self {
        let sink = SmtpSink::start().await;
        let database = FreshDatabase::create().await;
        let prefix = unique("test");
        let folder = tempfile::tempdir().unwrap();
        let seal_keys = format!("k1:{}=", "A".repeat(43));
        let own = [
            ("WELCOMAT_DATABASE_URL", database.url.as_str()),
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
            apis: Vec::new(),
            workers: Vec::new(),
            organization: String::new(),
            env,
            database: Some(database),
            amqp,
            prefix,
            _folder: folder,
        }
    }

    /// On the broker that all tests share.
    pub async fn on_shared_broker(env: &[(&str, &str)]) -> Self {
        Self::new(variable("TEST_AMQP_URL"), env).await
    }

    /// Starts one more API and waits until it answers.
    pub async fn add_api(&mut self) {
        let address = free_address();
        let bind = ("WELCOMAT_HTTP_BIND".to_owned(), address.to_string());
        let process = Process::start("welcomat-api", self.env.iter().chain([&bind]));
        let client = Client::new(address, Some(KEY.to_owned()));
        let me = eventually("the API answers", async || client.get("/v1/me").await.ok()).await;
        self.organization = text(&me.json()["organization"]["id"]);
        self.apis.push((process, client));
    }

    /// Starts one more worker.
    pub fn add_worker(&mut self) {
        self.workers.push(Process::start("welcomat-worker", self.env.iter()));
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
        // Dropping sends SIGKILL.
        self.workers.clear();
    }

    /// Invites `n<number>@example.com` over all APIs; each must answer 201.
    pub async fn invite(&self, numbers: std::ops::Range<usize>) {
        let path = format!("/v1/organizations/{}/invitations", self.organization);
        let invited = iter(numbers).map(|number| {
            let (_, client) = &self.apis[number % self.apis.len()];
            let (path, body) = (&path, json!({"email": format!("n{number}@example.com")}));
            async move { client.post(path, &body).await.unwrap() }
        });
        let mut answers = invited.buffer_unordered(AT_ONCE);
        while let Some(answer) = answers.next().await {
            assert_eq!(answer.status, 201, "{}", answer.text());
        }
    }

    /// Invites that many people at once, over all APIs; gives the statuses.
    pub async fn invite_at_once(&self, count: usize) -> Vec<u16> {
        let path = format!("/v1/organizations/{}/invitations", self.organization);
        let invited = (0..count).map(|number| {
            let (_, client) = &self.apis[number % self.apis.len()];
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

    async fn list(&self, filter: &str) -> Value {
        let path = format!("/v1/organizations/{}/invitations?{filter}", self.organization);
        let answer = self.apis[0].1.get(&path).await.unwrap();
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
        for (api, _) in &mut self.apis {
            api.terminate();
        }
        self.apis.clear();
        remove_queues(&self.amqp, &self.prefix).await;
        if let Some(database) = self.database.take() {
            database.remove().await;
        }
    }
}

impl Process {
    fn start<'a>(name: &str, env: impl Iterator<Item = &'a (String, String)>) -> Self {
        let program = Path::new(env!("CARGO_BIN_EXE_welcomat")).with_file_name(name);
        assert!(
            program.exists(),
            "{name} is not built; run `make test`, which builds all programs"
        );
        // Nothing but these settings: what the developer has set must not matter.
        let child = Command::new(program)
            .env_clear()
            .envs(env.map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn();
        Self(child.unwrap())
    }

    /// SIGTERM, and the process must end well.
    fn terminate(&mut self) {
        let id = self.0.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        let status = self.0.wait().unwrap();
        assert!(status.success(), "{status}");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).unwrap()
}
