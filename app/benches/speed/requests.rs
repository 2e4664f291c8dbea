//! What people ask of the product: to invite one person, to invite many, and nothing.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::load::Ask;

/// Every address is new: `b<number>@example.com`.
fn next_address() -> String {
    static NUMBER: AtomicUsize = AtomicUsize::new(1_000_000);
    format!("b{}@example.com", NUMBER.fetch_add(1, Ordering::Relaxed))
}

/// Invites one person.
pub struct Invite {
    head: String,
}

impl Invite {
    /// By the native API, at the path of an organization's invitations.
    pub fn new(server: SocketAddr, key: &str, path: &str) -> Self {
        Self { head: head(server, key, path) }
    }
}

impl Ask for Invite {
    fn request(&self, into: &mut Vec<u8>) {
        let address = next_address();
        let body = format!(r#"{{"email":"{address}","first_name":"Grace","last_name":"Hopper"}}"#);
        into.extend_from_slice(format!("{}{}\r\n\r\n{body}", self.head, body.len()).as_bytes());
    }

    fn granted(&self) -> u16 {
        201
    }
}

/// Invites many.
pub struct InviteMany {
    head: String,
    people: usize,
}

impl InviteMany {
    /// By the contract that takes many.
    pub fn new(server: SocketAddr, key: &str, people: usize) -> Self {
        Self { head: head(server, key, "/organization/users/invite"), people }
    }
}

impl Ask for InviteMany {
    fn request(&self, into: &mut Vec<u8>) {
        let entries: Vec<_> =
            (0..self.people).map(|_| format!(r#"{{"email":"{}"}}"#, next_address())).collect();
        let body = format!(r#"{{"emailAddresses":[{}]}}"#, entries.join(","));
        into.extend_from_slice(format!("{}{}\r\n\r\n{body}", self.head, body.len()).as_bytes());
    }

    fn granted(&self) -> u16 {
        200
    }
}

/// The least that HTTP costs.
pub struct Nothing(String);

impl Nothing {
    /// Whether the process lives.
    pub fn new(server: SocketAddr) -> Self {
        Self(format!("GET /livez HTTP/1.1\r\nHost: {server}\r\n\r\n"))
    }
}

impl Ask for Nothing {
    fn request(&self, into: &mut Vec<u8>) {
        into.extend_from_slice(self.0.as_bytes());
    }

    fn granted(&self) -> u16 {
        200
    }
}

/// Everything up to the length of the body.
fn head(server: SocketAddr, key: &str, path: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: {server}\r\nAuthorization: Bearer {key}\r\n\
         Content-Type: application/json\r\nContent-Length: "
    )
}
