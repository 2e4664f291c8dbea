//! One process and a file: its log, its answers and every byte of its database.

use std::path::Path;

use serde_json::json;

use super::{Run, env};
use crate::abuse::service::Service;
use crate::harness::block_on;
use crate::servers::eventually;
use crate::smtp_sink::SmtpSink;

const PLANTED: &str = "planted-to-be-found";

#[test]
fn one_process_keeps_its_secrets_to_itself() {
    block_on(async {
        let sink = SmtpSink::start().await;
        let folder = tempfile::tempdir().unwrap();
        let mut env = env("text", folder.path());
        env.push(("WELCOMAT_MAIL_URL", sink.url()));
        let service = Service::start(&[("welcomat serve", &[])], folder.path(), &env).await;
        let client = service.client.clone();
        let mut run = Run::new(&client).await;
        // What a mail server says of a recipient is not for the log either.
        sink.refuse("gone@refused.example", "550 5.1.1 <gone@refused.example> does not live here");
        run.addresses.add("refused", "gone@refused.example");
        let body = json!({"email": "gone@refused.example", "metadata": {"note": PLANTED}});
        run.post(&client, &run.invitations.clone(), &body, 201).await;
        // Mails whose end is not known yet: their secrets are sealed and not shredded.
        sink.hold(true);
        run.invite_all(&client).await;
        eventually("mails are on their way", async || (sink.count() >= 2).then_some(())).await;
        for mail in sink.mails() {
            run.received(&mail, !mail.to.starts_with("eve"));
        }
        run.secrets.add("planted", PLANTED);
        assert_eq!(found_in_files(&run, folder.path()), ["planted"], "and no secret");
        sink.hold(false);
        eventually("all mails are out", async || (sink.count() >= 3).then_some(())).await;
        for mail in sink.mails() {
            run.received(&mail, !mail.to.starts_with("eve"));
        }
        let ann = sink.mails().into_iter().find(|mail| mail.to.starts_with("ann")).unwrap();
        run.accept(&client, &ann).await;
        run.forge_lines(&client).await;
        run.check_words(&service.stop(), "text");
        assert_eq!(found_in_files(&run, folder.path()), ["planted"], "and no secret");
    });
}

/// What stands in the files of the database.
fn found_in_files(run: &Run, folder: &Path) -> Vec<String> {
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let database = files.filter(|path| path.to_string_lossy().contains("welcomat.db"));
    let bytes: Vec<u8> = database.flat_map(|path| std::fs::read(path).unwrap()).collect();
    assert!(bytes.starts_with(b"SQLite format 3"), "these are its files");
    run.secrets.found_in(&bytes).into_iter().map(str::to_owned).collect()
}
