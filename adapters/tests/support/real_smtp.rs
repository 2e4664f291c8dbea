//! The SMTP server that `deploy/test/with-servers` starts: how to reach it, and what it received.

use std::path::PathBuf;
use std::process::Command;

use url::Url;

use crate::python::{scripts, variable};

pub struct RealServer {
    url: Url,
    pub ca: String,
    maildir: PathBuf,
}

impl RealServer {
    /// The one that all tests share.
    pub fn shared() -> Self {
        Self {
            url: variable("TEST_SMTP_URL").parse().unwrap(),
            ca: variable("TEST_SMTP_CA"),
            maildir: variable("TEST_SMTP_MAILDIR").into(),
        }
    }

    /// One that takes no log-in but AUTH LOGIN.
    pub fn with_auth_login() -> Self {
        let dir = PathBuf::from(variable("TEST_SERVERS_DIR")).join("smtp-login");
        let output = Command::new(scripts().join("smtp"))
            .arg("start")
            .arg(&dir)
            .env("SMTP_AUTH", "LOGIN")
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Self {
            url: String::from_utf8(output.stdout).unwrap().trim().parse().unwrap(),
            ca: dir.join("ca.pem").to_str().unwrap().to_owned(),
            maildir: dir.join("maildir"),
        }
    }

    pub fn port(&self) -> u16 {
        self.url.port().unwrap()
    }

    /// The right `mail.url`, for a test to spoil.
    pub fn url(&self) -> Url {
        let mut url = self.url.clone();
        url.query_pairs_mut().append_pair("ca", &self.ca);
        url
    }

    /// The mails in which `text` stands, byte for byte: envelope lines first, then what came.
    pub fn mails_with(&self, text: &str) -> Vec<Vec<u8>> {
        let mails = std::fs::read_dir(self.maildir.join("new")).unwrap();
        mails
            .map(|mail| std::fs::read(mail.unwrap().path()).unwrap())
            .filter(|mail| String::from_utf8_lossy(mail).contains(text))
            .collect()
    }
}
