//! A mail as its reader sees it, whether it was captured or came over SMTP.

use serde_json::Value;

/// One mail.
#[derive(Debug, Clone)]
pub struct TestMail {
    pub to: String,
    pub subject: String,
    pub message_id: String,
    pub text: String,
    /// All of it: as it came over SMTP, or as the inbox has it.
    pub source: String,
}

impl TestMail {
    /// From an element of `GET /inbox/messages`.
    pub fn captured(message: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Self {
            to: text(&message["to"]),
            subject: text(&message["subject"]),
            message_id: text(&message["headers"]["Message-ID"]),
            text: text(&message["text"]),
            source: message.to_string(),
        }
    }

    /// From what came after DATA; reads as much MIME as our own mails use.
    pub fn received(to: &str, raw: &str) -> Self {
        let (head, body) = raw.split_once("\r\n\r\n").expect("a mail has a head and a body");
        let boundary = header(head, "Content-Type");
        let boundary = boundary.split("boundary=").nth(1).expect("a mail has several parts");
        let boundary = format!("--{}", boundary.split(';').next().unwrap().trim_matches('"'));
        let plain = body
            .split(boundary.as_str())
            .filter_map(|part| part.split_once("\r\n\r\n"))
            .find(|(head, _)| header(head, "Content-Type").starts_with("text/plain"));
        let (part_head, text) = plain.expect("a mail has a plain part");
        assert_eq!(header(part_head, "Content-Transfer-Encoding"), "quoted-printable");
        Self {
            to: to.to_owned(),
            subject: header(head, "Subject"),
            message_id: header(head, "Message-ID"),
            text: unquote(text),
            source: raw.to_owned(),
        }
    }

    /// The secret part of the link.
    pub fn token(&self) -> String {
        self.link().rsplit('/').next().unwrap().to_owned()
    }

    /// The path of the link.
    pub fn path(&self) -> String {
        format!("/i/{}", self.token())
    }

    /// The link.
    pub fn link(&self) -> &str {
        let link = self.text.lines().map(str::trim).find(|line| line.starts_with("http"));
        link.unwrap_or_else(|| panic!("no link in {}", self.text))
    }

    /// The temporary password.
    pub fn password(&self) -> String {
        let is_password = |line: &&str| {
            line.len() == 32 && line.split('-').all(|group| group.len() == 4 || group.len() == 2)
        };
        let password = self.text.lines().map(str::trim).find(is_password);
        password.unwrap_or_else(|| panic!("no password in {}", self.text)).to_owned()
    }
}

fn header(head: &str, name: &str) -> String {
    let unfolded = head.replace("\r\n ", " ").replace("\r\n\t", " ");
    let line = unfolded.split("\r\n").find_map(|line| {
        let (known, value) = line.split_once(':')?;
        known.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    });
    line.unwrap_or_default()
}

/// Undoes quoted-printable (RFC 2045 §6.7).
fn unquote(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let code = std::str::from_utf8(after.get(..2).unwrap_or_default()).unwrap_or_default();
        rest = match (byte, code) {
            (b'=', "\r\n") => &after[2..],
            (b'=', hex) => {
                bytes.push(u8::from_str_radix(hex, 16).expect("two hexadecimal digits"));
                &after[2..]
            }
            _ => {
                bytes.push(byte);
                after
            }
        };
    }
    String::from_utf8(bytes).expect("UTF-8").replace("\r\n", "\n")
}

#[test]
fn reads_what_quoted_printable_hides() {
    assert_eq!(unquote("a=\r\nb =3D =C3=A4\r\n"), "ab = ä\n");
}
