//! The product under test: the release program under its names, with its default settings, over a
//! database and queues of its own.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use app::http::Client;
use tokio::time::sleep;

use crate::Result;
use crate::load::{self, Until};
use crate::processes::Process;
use crate::requests::{Invite, InviteMany, Nothing};
use crate::servers::{Servers, create_database, drop_database, remove_queues};
use crate::sink::Sink;

/// The key of the organization under test.
pub const KEY: &str = "bench-0000-0000-0000-0000-0000-0000";
const PATIENCE: Duration = Duration::from_secs(30);

/// What the product needs: servers, a mail server, a place for files.
pub struct World {
    /// None for the embedded product.
    pub servers: Option<Servers>,
    pub sink: Sink,
    /// Logs, and the embedded product's databases.
    pub folder: PathBuf,
    /// What is set otherwise than by default, in each product.
    pub settings: Vec<(String, String)>,
}

/// A running product; each has its own database and queues.
pub struct Product {
    pub address: SocketAddr,
    pub organization: String,
    pub database_url: String,
    /// The API, or all of the embedded product.
    pub api: Process,
    /// None yet, one, or several; the embedded product has its own.
    pub workers: Vec<Process>,
    settings: Vec<(String, String)>,
    log: PathBuf,
    name: String,
    keep: bool,
}

impl World {
    /// Starts the product on an empty database; `worker` is started with it if wanted.
    pub async fn product(&self, scene: &str, worker: bool) -> Result<Product> {
        self.product_with(scene, &[], worker).await
    }

    /// The same, with more settings.
    pub async fn product_with(
        &self,
        scene: &str,
        more: &[(&str, &str)],
        worker: bool,
    ) -> Result<Product> {
        static SERIAL: AtomicUsize = AtomicUsize::new(0);
        let name = format!("bench_{scene}_{}", SERIAL.fetch_add(1, Ordering::Relaxed));
        let database_url = match &self.servers {
            Some(servers) => create_database(&servers.postgres.url, &name).await?,
            None => format!("sqlite://{}", self.folder.join(format!("{name}.db")).display()),
        };
        self.product_on(name, database_url, more, worker).await
    }

    /// The same, with more settings, on a database that is there already, and that stays.
    pub async fn product_over(
        &self,
        name: &str,
        database: &str,
        more: &[(&str, &str)],
        worker: bool,
    ) -> Result<Product> {
        let (own, database) = (name.to_owned(), database.to_owned());
        let mut product = self.product_on(own, database, more, worker).await?;
        product.keep = true;
        Ok(product)
    }

    async fn product_on(
        &self,
        name: String,
        database_url: String,
        more: &[(&str, &str)],
        worker: bool,
    ) -> Result<Product> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let broker = self.servers.as_ref().map_or("memory:", |servers| &servers.rabbitmq.url);
        let seal_keys = format!("k1:{}=", "A".repeat(43));
        let settings = [
            ("HTTP_BIND", address.to_string()),
            ("DATABASE_URL", database_url.clone()),
            ("BROKER_URL", broker.to_owned()),
            ("BROKER_PREFIX", name.clone()),
            ("MAIL_URL", self.sink.url()),
            ("DATA_DIR", self.folder.display().to_string()),
            ("SEAL_KEYS", seal_keys),
            ("BOOTSTRAP_API_KEY", KEY.to_owned()),
        ];
        let settings = settings.map(|(setting, value)| (format!("WELCOMAT_{setting}"), value));
        let more = more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let asked = self.settings.iter().cloned();
        let settings: Vec<_> = settings.into_iter().chain(more).chain(asked).collect();
        let log = self.folder.join("product.log");
        let api = match &self.servers {
            Some(_) => Process::start("welcomat-api", &[], &settings, &log)?,
            None => Process::start("welcomat", &["serve"], &settings, &log)?,
        };
        let mut product = Product {
            address,
            organization: String::new(),
            database_url,
            api,
            workers: Vec::new(),
            settings,
            log,
            name,
            keep: false,
        };
        product.organization = product.first_answer().await?;
        if worker {
            product.start_worker()?;
        }
        Ok(product)
    }

    /// Stops the product and removes its database and queues.
    pub async fn end(&self, product: Product) -> Result<()> {
        let Product { api, workers, name, keep, .. } = product;
        for worker in workers {
            worker.stop()?;
        }
        api.stop()?;
        let Some(servers) = &self.servers else { return Ok(()) };
        remove_queues(&servers.rabbitmq.url, &name).await?;
        if keep { Ok(()) } else { drop_database(&servers.postgres.url, &name).await }
    }
}

impl Product {
    /// Starts a worker, one more than there are; the embedded product has its own.
    pub fn start_worker(&mut self) -> Result<()> {
        if self.api.name() != "welcomat" {
            let worker = Process::start("welcomat-worker", &[], &self.settings, &self.log)?;
            self.workers.push(worker);
        }
        Ok(())
    }

    /// The database's name; the same as that of the queues.
    pub fn database_name(&self) -> &str {
        &self.name
    }

    /// API and worker.
    pub fn processes(&self) -> impl Iterator<Item = &Process> {
        std::iter::once(&self.api).chain(&self.workers)
    }

    /// Requests that invite one person each.
    pub fn invite(&self) -> Arc<Invite> {
        let path = format!("/v1/organizations/{}/invitations", self.organization);
        Arc::new(Invite::new(self.address, KEY, &path))
    }

    /// Requests that invite so many people each.
    pub fn invite_many(&self, people: usize) -> Arc<InviteMany> {
        Arc::new(InviteMany::new(self.address, KEY, people))
    }

    /// Requests that ask for nothing.
    pub fn nothing(&self) -> Arc<Nothing> {
        Arc::new(Nothing::new(self.address))
    }

    /// The first requests of a process find nothing in any cache.
    pub async fn warm_up(&self) -> Result<usize> {
        let until = Until { time: PATIENCE, count: 300 };
        let outcome = load::closed(self.address, &self.invite(), 16, until).await?;
        if let Some(refusal) = outcome.refusal {
            return Err(format!("an invitation was refused: {refusal}").into());
        }
        Ok(outcome.granted)
    }

    /// Waits until the API answers; gives the id of its organization.
    async fn first_answer(&mut self) -> Result<String> {
        let client = Client::new(self.address, Some(KEY.to_owned()));
        let start = Instant::now();
        while start.elapsed() < PATIENCE && !self.api.ended()? {
            if let Ok(answer) = client.get("/v1/me").await
                && let Some(id) = answer.json()["organization"]["id"].as_str()
            {
                return Ok(id.to_owned());
            }
            sleep(Duration::from_millis(20)).await;
        }
        Err(format!("the API does not answer; see {}", self.log.display()).into())
    }
}

/// Makes an empty folder.
pub fn fresh_folder(path: &Path) -> Result<PathBuf> {
    drop(std::fs::remove_dir_all(path));
    std::fs::create_dir_all(path)?;
    Ok(path.canonicalize()?)
}
