//! `welcomat demo`: one invitation from request to mail on a service made for it, over its own API.
#![expect(clippy::print_stdout, reason = "commands print their result")]

use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use adapters::settings::Settings;
use adapters::telemetry;
use app::http::{Answer, Client};
use app::parts::Parts;
use app::{Failure, service};
use domain::secret::random_text;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::stop_on_signal;

const PATIENCE: Duration = Duration::from_secs(30);
const GLANCE: Duration = Duration::from_millis(5);

/// A service on a folder that vanishes with it.
struct Stage {
    parts: Parts,
    listener: TcpListener,
    client: Client,
    key: String,
    folder: TempDir,
}

/// What the demo found out.
struct Shown {
    invitation: Value,
    mail: Value,
    milliseconds: u128,
}

/// Runs the demo; fails unless the mail is out.
pub async fn run(once: bool, json: bool) -> Result<(), Failure> {
    let shutdown = stop_on_signal()?;
    let stage = Stage::set(once).await?;
    let Stage { parts, listener, client, key, folder } = stage;
    let url = parts.settings.public_url.to_string();
    let show = async {
        let _stop = once.then(|| shutdown.clone().drop_guard());
        if !json {
            println!("Started a service at {url}, in {}", folder.path().display());
        }
        let shown = tokio::select! {
            shown = invite(&client, json) => shown,
            () = shutdown.cancelled() => Err("stopped before the mail was sent".into()),
        };
        match &shown {
            Ok(shown) if json => println!("{}", shown.summary()),
            Ok(shown) => shown.print(),
            // Nothing to leave up.
            Err(_) => shutdown.cancel(),
        }
        if shown.is_ok() && !once {
            print_invitation_to_play(&url, &key, &client).await;
        }
        shown
    };
    let (served, shown) = tokio::join!(service::run(&parts, listener, shutdown.clone()), show);
    served?;
    shown?.verdict()
}

impl Stage {
    /// Everything embedded, whatever the environment says, in a temporary folder.
    async fn set(once: bool) -> Result<Self, Failure> {
        let usual = (!once).then(|| TcpListener::bind("127.0.0.1:8080").ok()).flatten();
        let listener = usual.map_or_else(|| TcpListener::bind("127.0.0.1:0"), Ok)?;
        let address: SocketAddr = listener.local_addr()?;
        let folder = tempfile::Builder::new().prefix("welcomat-demo-").tempdir()?;
        let key = format!("wlc_{}", *random_text(&mut adapters::rng()));
        let settings = Settings::load(
            None,
            [
                ("WELCOMAT_HTTP_BIND", address.to_string()),
                ("WELCOMAT_DATA_DIR", folder.path().display().to_string()),
                ("WELCOMAT_BOOTSTRAP_API_KEY", key.clone()),
                ("WELCOMAT_LOG_FILTER", "warn".to_owned()),
            ]
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value)),
        )?;
        telemetry::init(&settings.log);
        let parts = Parts::assemble(settings).await?;
        parts.bootstrap().await?;
        let client = Client::new(address, Some(key.clone()));
        Ok(Self { parts, listener, client, key, folder })
    }
}

/// Invites Ann and watches until her mail is out.
async fn invite(client: &Client, quiet: bool) -> Result<Shown, Failure> {
    let organization = organization(client).await?;
    let path = format!("/v1/organizations/{organization}/invitations");
    let ann = json!({"email": "ann@example.com", "first_name": "Ann"});
    let start = Instant::now();
    let created = expect(client.post(&path, &ann).await?, 201)?;
    let location = created.header("location").ok_or("the answer names no Location")?.to_owned();
    let progress = |what: &str| {
        if !quiet {
            println!("{:>6} ms  {what}", start.elapsed().as_millis());
        }
    };
    progress(&format!("POST {path} → 201 Created"));
    let mut known = String::new();
    let (invitation, milliseconds) = loop {
        let invitation = expect(client.get(&location).await?, 200)?.json();
        let status = invitation["delivery"]["status"].as_str().unwrap_or_default();
        if status != known {
            progress(&format!("delivery: {status}"));
            known = status.to_owned();
        }
        if invitation["email_sent"] == true || start.elapsed() > PATIENCE {
            break (invitation, start.elapsed().as_millis());
        }
        tokio::time::sleep(GLANCE).await;
    };
    let inbox = expect(client.get("/inbox/messages").await?, 200)?.json();
    let mut mine = inbox.as_array().into_iter().flatten();
    let mail = mine.find(|mail| mail["invitation_id"] == invitation["id"]).cloned();
    Ok(Shown { invitation, mail: mail.unwrap_or_default(), milliseconds })
}

impl Shown {
    fn summary(&self) -> Value {
        json!({
            "invitation_id": self.invitation["id"],
            "email_sent": self.invitation["email_sent"],
            "subject": self.mail["subject"],
            "milliseconds": u64::try_from(self.milliseconds).unwrap_or(u64::MAX),
        })
    }

    fn print(&self) {
        println!("\nWhat happened (from the invitation's GET):");
        for event in self.invitation["events"].as_array().into_iter().flatten() {
            println!("  {}  {}", text(&event["at"]), text(&event["kind"]));
        }
        println!("\nThe mail to {}: {}\n", text(&self.mail["to"]), text(&self.mail["subject"]));
        for line in text(&self.mail["text"]).lines() {
            println!("  | {line}");
        }
    }

    fn verdict(&self) -> Result<(), Failure> {
        if self.invitation["email_sent"] == true {
            return Ok(());
        }
        Err(format!("the mail was not sent: {}", self.invitation["delivery"]).into())
    }
}

async fn print_invitation_to_play(url: &str, key: &str, client: &Client) {
    let organization = organization(client).await.unwrap_or_default();
    println!("\nThe service stays up until Ctrl-C.");
    println!("  Inbox: {url}inbox");
    println!("  Invite someone else:");
    println!("    curl {url}v1/organizations/{organization}/invitations \\");
    println!("      -H 'Authorization: Bearer {key}' \\");
    println!("      -H 'Content-Type: application/json' -d '{{\"email\": \"bob@example.com\"}}'");
}

async fn organization(client: &Client) -> Result<String, Failure> {
    let me = expect(client.get("/v1/me").await?, 200)?.json();
    Ok(text(&me["organization"]["id"]).to_owned())
}

fn expect(answer: Answer, status: u16) -> Result<Answer, Failure> {
    if answer.status == status {
        return Ok(answer);
    }
    Err(format!("the service answered {}: {}", answer.status, answer.text()).into())
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
