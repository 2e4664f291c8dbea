//! What was asked for, what was promised, what came, and what the database says: do they agree?

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use serde_json::Value;

use crate::mail::TestMail;

/// What the clients of a service saw.
#[derive(Debug, Default)]
pub struct History {
    attempted: BTreeSet<String>,
    /// Ids by address.
    acknowledged: BTreeMap<String, String>,
}

/// What became of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Addresses that somebody tried to invite.
    pub attempted: usize,
    /// Those that were answered with 201.
    pub acknowledged: usize,
    /// Invitations whose mail was sent, as the database says.
    pub sent: usize,
    /// Invitations whose mail was given up, visibly.
    pub failed: usize,
    /// Promised, and not there, not settled, or said to be sent although nothing came.
    pub lost: usize,
    /// Mails that came although the same one had come before.
    pub repeated: usize,
    /// Mails that came although nobody knows of them, or more than one invitation for an address.
    pub unasked: usize,
    /// Repeats with another Message-ID, link or password than the first.
    pub differing: usize,
}

impl History {
    pub fn attempted(&mut self, email: &str) {
        self.attempted.insert(email.to_owned());
    }

    /// The answer was `created`, which must be the same each time.
    pub fn acknowledged(&mut self, email: &str, created: &Value) {
        let id = created["id"].as_str().expect("an invitation has an id").to_owned();
        let before = self.acknowledged.insert(email.to_owned(), id.clone());
        assert!(before.is_none_or(|before| before == id), "one key, two invitations");
    }

    /// Holds it against all mails that came and all invitations that the API shows.
    pub fn compare(&self, mails: &HashMap<String, Vec<TestMail>>, rows: &[Value]) -> Tally {
        let mut tally = Tally {
            attempted: self.attempted.len(),
            acknowledged: self.acknowledged.len(),
            ..Tally::default()
        };
        let mut by_email: HashMap<&str, Vec<&Value>> = HashMap::new();
        for row in rows {
            by_email.entry(row["email"].as_str().unwrap()).or_default().push(row);
        }
        for (email, rows) in &by_email {
            tally.unasked += rows.len() - 1 + usize::from(!self.attempted.contains(*email));
            let arrived = mails.contains_key(*email);
            for row in rows {
                match row["delivery"]["status"].as_str() {
                    Some("sent") if row["email_sent"] == true && arrived => tally.sent += 1,
                    Some("failed") if row["email_sent"] == false => tally.failed += 1,
                    _ => tally.lost += 1,
                }
            }
        }
        for (email, id) in &self.acknowledged {
            let rows = by_email.get(email.as_str()).map_or(&[][..], Vec::as_slice);
            tally.lost += usize::from(!rows.iter().any(|row| row["id"] == id.as_str()));
        }
        for (email, mails) in mails {
            tally.unasked += usize::from(!by_email.contains_key(email.as_str()));
            tally.repeated += mails.len() - 1;
            tally.differing += mails.iter().filter(|mail| !same(mail, &mails[0])).count();
        }
        tally
    }
}

fn same(mail: &TestMail, first: &TestMail) -> bool {
    mail.message_id == first.message_id
        && mail.link() == first.link()
        && mail.password() == first.password()
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "| {} | {} | {} | {} | {} | {} |",
            self.attempted,
            self.acknowledged,
            self.sent,
            self.failed,
            self.lost + self.unasked + self.differing,
            self.repeated
        )
    }
}
