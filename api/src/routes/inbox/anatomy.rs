//! Takes a captured mail apart again: its headers as people read them, and its parts.

use adapters::templates::{InboxHeader, InboxPart};
use mail_parser::parsers::MessageStream;
use mail_parser::{HeaderValue, MessageParser, MessagePart, MimeHeaders};

/// The headers in their order, and the parts that have content of their own.
pub fn of(raw: &[u8]) -> (Vec<InboxHeader>, Vec<InboxPart>) {
    let Some(mail) = MessageParser::default().parse(raw) else {
        return (Vec::new(), Vec::new());
    };
    let headers = mail.headers_raw();
    let headers =
        headers.map(|(name, value)| InboxHeader { name: name.to_owned(), value: decoded(value) });
    let parts = mail.parts.iter().filter(|part| !part.is_multipart());
    (headers.collect(), parts.map(part).collect())
}

fn part(part: &MessagePart<'_>) -> InboxPart {
    let media_type = part.content_type().map(|found| {
        let subtype = found.subtype().unwrap_or_default();
        format!("{}/{subtype}", found.ctype()).to_lowercase()
    });
    InboxPart {
        // What a part is that does not say (RFC 2045 §5.2).
        media_type: media_type.unwrap_or_else(|| "text/plain".to_owned()),
        encoding: part.content_transfer_encoding().unwrap_or("7bit").to_owned(),
        file_name: part.attachment_name().map(str::to_owned),
        bytes: part.len(),
    }
}

/// On one line, with encoded words (RFC 2047) decoded.
fn decoded(value: &str) -> String {
    let line = format!("{}\n", value.trim());
    match MessageStream::new(line.as_bytes()).parse_unstructured() {
        HeaderValue::Text(text) => text.trim().to_owned(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_decoded_and_parts_listed() {
        let raw = b"Subject: =?utf-8?q?Z=C3=BCrich?= and\r\n more\r\nX-Twice: 1\r\nX-Twice: 2\r\nX-Empty:\r\n\
            Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\n\
            Content-Transfer-Encoding: quoted-printable\r\n\r\n<p>=C3=BC</p>\r\n--b\r\n\
            Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\
            Content-Disposition: attachment; filename=a.pdf\r\n\r\nAAAA\r\n--b--\r\n";
        let (headers, parts) = of(raw);
        let headers: Vec<_> = headers.iter().map(|one| (&*one.name, &*one.value)).collect();
        assert_eq!(headers[0], ("Subject", "Zürich and more"));
        assert_eq!(headers[1..4], [("X-Twice", "1"), ("X-Twice", "2"), ("X-Empty", "")]);
        let parts: Vec<_> = parts
            .iter()
            .map(|one| (&*one.media_type, &*one.encoding, one.file_name.as_deref(), one.bytes))
            .collect();
        let html = ("text/html", "quoted-printable", None, 9);
        assert_eq!(parts, [html, ("application/pdf", "base64", Some("a.pdf"), 3)]);
    }

    #[test]
    fn what_is_no_mail_is_taken_apart_as_well() {
        for raw in ["", "\r\n", "x", "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b"] {
            of(raw.as_bytes());
        }
    }
}
