//! `PostgreSQL` and `RabbitMQ`, started for this run alone by the scripts in `deploy/test`.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use lapin::options::{ExchangeDeleteOptions, QueueDeleteOptions};
use lapin::{Connection, ConnectionProperties};
use sea_orm::{ConnectionTrait, Database};

use crate::Result;
use crate::processes::{cpu_of_family, cpu_of_session};

/// Both servers.
pub struct Servers {
    pub postgres: Server,
    pub rabbitmq: Server,
}

/// One of them.
pub struct Server {
    script: PathBuf,
    folder: PathBuf,
    /// Where it answers.
    pub url: String,
    /// CPU time of earlier lives, in milliseconds.
    spent: AtomicU64,
}

impl Servers {
    /// Starts both.
    pub fn start() -> Result<Self> {
        Ok(Self { postgres: Server::start("postgres")?, rabbitmq: Server::start("rabbitmq")? })
    }
}

impl Server {
    fn start(kind: &str) -> Result<Self> {
        #[expect(clippy::disallowed_methods, reason = "with-servers tells it so")]
        let folder = std::env::var("TEST_SERVERS_DIR")
            .map_err(|_| "TEST_SERVERS_DIR is not set; run `make bench`, which sets it")?;
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/test").join(kind);
        let folder = Path::new(&folder).join(kind);
        let mut server = Self { script, folder, url: String::new(), spent: AtomicU64::new(0) };
        server.url = server.run("start")?;
        Ok(server)
    }

    /// Runs one of the script's verbs; gives what it prints.
    pub fn run(&self, verb: &str) -> Result<String> {
        if verb == "stop" {
            let lived = Duration::from_secs_f64(self.cpu_of_this_life().max(0.0));
            let millis = u64::try_from(lived.as_millis())?;
            self.spent.fetch_add(millis, Ordering::Relaxed);
        }
        let output = self.command(verb).stderr(Stdio::inherit()).output()?;
        if output.status.success() {
            return Ok(String::from_utf8(output.stdout)?.trim().to_owned());
        }
        Err(format!("{} {verb} failed", self.script.display()).into())
    }

    /// Runs pgbench with this script; gives what it prints.
    pub fn pgbench(&self, database: &str, arguments: &[String], script: &str) -> Result<String> {
        let mut command = self.command("pgbench");
        command.args(["-n", "-M", "prepared", "-f", "-"]).args(arguments).arg(database);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let mut input = child.stdin.take().ok_or("pgbench has no standard input")?;
        input.write_all(script.as_bytes())?;
        drop(input);
        let output = child.wait_with_output()?;
        if output.status.success() {
            return Ok(String::from_utf8(output.stdout)?);
        }
        Err(format!("pgbench failed: {}", String::from_utf8_lossy(&output.stderr)).into())
    }

    /// CPU seconds so far of a server without a container.
    pub fn cpu(&self) -> f64 {
        let earlier = Duration::from_millis(self.spent.load(Ordering::Relaxed));
        earlier.as_secs_f64() + self.cpu_of_this_life()
    }

    fn cpu_of_this_life(&self) -> f64 {
        let id = |file: &str| {
            let text = fs::read_to_string(self.folder.join(file)).ok()?;
            text.trim().parse::<u32>().ok()
        };
        match id("session") {
            Some(session) => cpu_of_session(session),
            None => id("pid").map_or(0.0, cpu_of_family),
        }
    }

    fn command(&self, verb: &str) -> Command {
        let mut command = Command::new(&self.script);
        // Each commit reaches the disk, as in production.
        command.env("WELCOMAT_TEST_POSTGRES", "durable").arg(verb).arg(&self.folder);
        command
    }
}

/// Makes a database; gives its URL.
pub async fn create_database(postgres: &str, name: &str) -> Result<String> {
    execute(postgres, &format!("CREATE DATABASE {name}")).await?;
    let (server, _) = postgres.rsplit_once('/').ok_or("the URL names no database")?;
    Ok(format!("{server}/{name}"))
}

/// Removes a database, and with it the work that it leaves to the server.
pub async fn drop_database(postgres: &str, name: &str) -> Result<()> {
    execute(postgres, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await
}

/// Executes statements.
pub async fn execute(url: &str, statements: &str) -> Result<()> {
    let database = Database::connect(url).await?;
    database.execute_unprepared(statements).await?;
    Ok(database.close().await?)
}

/// Removes what the product declared under a prefix.
pub async fn remove_queues(amqp: &str, prefix: &str) -> Result<()> {
    let connection = Connection::connect(amqp, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    for name in ["email.v1", "dead.v1"] {
        let queue = format!("{prefix}.{name}").into();
        channel.queue_delete(queue, QueueDeleteOptions::default()).await?;
    }
    for name in ["jobs.v1", "dead.v1"] {
        let exchange = format!("{prefix}.{name}").into();
        channel.exchange_delete(exchange, ExchangeDeleteOptions::default()).await?;
    }
    Ok(connection.close(0, "done".into()).await?)
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.run("destroy"));
    }
}
