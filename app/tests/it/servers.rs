//! The servers that tests share, and what a test makes on them for itself alone.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use domain::secret::random_text;
use lapin::options::QueueDeleteOptions;
use lapin::{Connection, ConnectionProperties};
use sea_orm::{ConnectionTrait, Database};

/// How long anything may take before a test gives up on it; far more than it ever takes.
pub const PATIENCE: Duration = Duration::from_mins(1);
/// `TEST_PATIENCE`, in seconds, cuts it short: for runs whose tests are meant to fail.
static LEAST: LazyLock<Option<Duration>> = LazyLock::new(|| {
    #[expect(clippy::disallowed_methods, reason = "a setting of the tests")]
    let seconds = std::env::var("TEST_PATIENCE").ok()?;
    Some(Duration::from_secs(seconds.parse().unwrap()))
});
const GLANCE: Duration = Duration::from_millis(20);

/// Looks again and again until there is something to see. The only place where tests wait.
pub async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    eventually_within(PATIENCE, what, &mut look).await
}

/// As [`eventually`], for what takes longer by design.
pub async fn eventually_within<T>(
    patience: Duration,
    what: &str,
    mut look: impl AsyncFnMut() -> Option<T>,
) -> T {
    let start = Instant::now();
    let patience = patience.min(LEAST.unwrap_or(patience));
    loop {
        if let Some(seen) = look().await {
            return seen;
        }
        assert!(start.elapsed() < patience, "in vain for {patience:?}: {what}");
        // Between two looks: what is looked at is another process, which tells nobody.
        tokio::time::sleep(GLANCE).await;
    }
}

/// A variable that `make test` sets.
#[expect(clippy::disallowed_methods, reason = "these are settings of the tests")]
pub fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set; run `make test`, which starts the servers that tests need")
    })
}

/// Something that nobody else uses as a name.
pub fn unique(prefix: &str) -> String {
    format!("{prefix}_{}", random_text(&mut adapters::rng()).to_ascii_lowercase())
}

/// A database of its own on the shared `PostgreSQL`.
pub struct FreshDatabase {
    name: String,
    admin_url: String,
    pub url: String,
}

impl FreshDatabase {
    pub async fn create() -> Self {
        Self::create_on(&variable("TEST_DATABASE_URL")).await
    }

    /// On another server.
    pub async fn create_on(admin_url: &str) -> Self {
        let admin_url = admin_url.to_owned();
        let name = unique("welcomat");
        let (base, _) = admin_url.rsplit_once('/').expect("TEST_DATABASE_URL names a database");
        let url = format!("{base}/{name}");
        run(&admin_url, &format!("CREATE DATABASE {name}")).await;
        Self { name, admin_url, url }
    }

    pub async fn remove(self) {
        run(&self.admin_url, &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name)).await;
    }
}

async fn run(url: &str, statement: &str) {
    let database = Database::connect(url).await.unwrap();
    database.execute_unprepared(statement).await.unwrap();
    database.close().await.unwrap();
}

/// Removes the queues that begin with `prefix`: each costs the broker memory. No more than that: a broker
/// that stumbles over one of them leaves the library waiting, and the test has said what it had to say.
pub async fn remove_queues(amqp_url: &str, prefix: &str) {
    let _ =
        tokio::time::timeout(Duration::from_secs(10), try_to_remove_queues(amqp_url, prefix)).await;
}

async fn try_to_remove_queues(amqp_url: &str, prefix: &str) {
    let Ok(connection) = Connection::connect(amqp_url, ConnectionProperties::default()).await
    else {
        return;
    };
    for queue in ["email.v1", "webhook.v1", "dead.v1"] {
        // A channel each: deleting what is not there closes it.
        let Ok(channel) = connection.create_channel().await else { continue };
        let name = format!("{prefix}.{queue}");
        let _ = channel.queue_delete(name.into(), QueueDeleteOptions::default()).await;
    }
    let _ = connection.close(0, "done".into()).await;
}

/// A server that one test alone can stop: `rabbitmq` or `postgres`.
pub struct OwnServer {
    script: PathBuf,
    pub folder: PathBuf,
    pub url: String,
}

impl OwnServer {
    /// Starts one of the scripts in `deploy/test`.
    pub fn start(kind: &str) -> Self {
        let mut server = Self::absent(kind);
        server.url = server.run("start");
        server
    }

    /// Would run one of the script's verbs.
    pub fn command(&self, verb: &str) -> Command {
        let mut command = Command::new(&self.script);
        command.arg(verb).arg(&self.folder);
        command
    }

    fn absent(kind: &str) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/test").join(kind);
        let folder = Path::new(&variable("TEST_SERVERS_DIR")).join(unique(kind));
        Self { script, folder, url: String::new() }
    }

    /// Runs one of the script's verbs; gives what it prints.
    pub fn run(&self, verb: &str) -> String {
        self.run_with(verb, &[])
    }

    fn run_with(&self, verb: &str, arguments: &[&str]) -> String {
        let output = self.command(verb).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

#[cfg(feature = "failpoints")]
impl OwnServer {
    /// Runs `rabbitmqctl` on it; gives what it prints.
    pub fn ctl(&self, arguments: &[&str]) -> String {
        self.run_with("ctl", arguments)
    }
}

#[cfg(feature = "long-faults")]
impl OwnServer {
    /// Starts one more node of a `RabbitMQ` cluster. The first node must be an installed server,
    /// which [`Self::start_installed`] makes sure of.
    pub fn join(first: &Self) -> Self {
        let mut server = Self::absent("rabbitmq");
        server.url = server.run_with("join", &[first.folder.to_str().unwrap()]);
        server
    }

    /// As [`Self::start`], but never in a container: those do not reach each other.
    pub fn start_installed(kind: &str) -> Self {
        let mut server = Self::absent(kind);
        std::fs::create_dir_all(&server.folder).unwrap();
        // The script decides once, and this is its note that it has.
        std::fs::write(server.folder.join("engine"), "").unwrap();
        server.url = server.run("start");
        server
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        // What a failed test leaves behind is taken down with the other servers.
        if !std::thread::panicking() {
            self.run("destroy");
        }
    }
}
