//! Standard input: a JSON object, if somebody sends one, or secrets.

use std::io::{IsTerminal, Read, stdin};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::error::ClientError;
use super::output::say;

/// More than any body that the server takes.
const MAX_BYTES: u64 = 1024 * 1024;
/// After this long without an end, a person wonders what is going on.
const PATIENCE: Duration = Duration::from_secs(2);

/// Reads to the end; an empty object if standard input is a terminal or has nothing.
pub fn read_object() -> Result<Value, ClientError> {
    if stdin().is_terminal() {
        return Ok(json!({}));
    }
    let text = read_all("waiting for JSON on standard input; with --no-stdin it is not read")?;
    if text.trim_ascii().is_empty() {
        return Ok(json!({}));
    }
    let wrong = |problem: String| {
        ClientError::Usage(format!("standard input must be one JSON object, but {problem}"))
    };
    match serde_json::from_slice(&text) {
        Ok(Value::Object(body)) => Ok(Value::Object(body)),
        Ok(_) => Err(wrong("it is another value".to_owned())),
        Err(error) => Err(wrong(error.to_string())),
    }
}

/// Reads one secret a line. A terminal is refused: it would show what is typed.
pub fn read_secrets<const N: usize>(
    names: [&str; N],
) -> Result<[Zeroizing<String>; N], ClientError> {
    let wanted = names.join(" and, on the next line, ");
    let wrong = |problem: &str| {
        ClientError::Usage(format!("standard input must have {wanted}, but {problem}"))
    };
    if stdin().is_terminal() {
        return Err(wrong("it is a terminal, which would show it; use a pipe or a file"));
    }
    let text = Zeroizing::new(read_all(&format!("waiting for {wanted} on standard input"))?);
    let text = std::str::from_utf8(&text).map_err(|_| wrong("it is no text"))?;
    let lines: Vec<_> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let given = <[&str; N]>::try_from(lines).map_err(|lines| {
        let count = lines.len();
        wrong(&format!("it has {count} line{}", if count == 1 { "" } else { "s" }))
    })?;
    Ok(given.map(|line| Zeroizing::new(line.to_owned())))
}

fn read_all(reminder: &str) -> Result<Vec<u8>, ClientError> {
    let (send, receive) = channel();
    // Its own thread: a pipe that nobody closes must not keep us from saying so.
    std::thread::spawn(move || {
        let mut text = Vec::new();
        let read = stdin().lock().take(MAX_BYTES + 1).read_to_end(&mut text);
        let _ = send.send(read.map(|_| text));
    });
    let mut read = receive.recv_timeout(PATIENCE);
    if matches!(read, Err(RecvTimeoutError::Timeout)) {
        say(reminder);
        read = receive.recv().map_err(RecvTimeoutError::from);
    }
    let text = match read {
        Ok(Ok(text)) => text,
        Ok(Err(error)) => {
            return Err(ClientError::Local(format!("standard input cannot be read: {error}")));
        }
        Err(_) => return Err(ClientError::Local("standard input cannot be read".to_owned())),
    };
    if u64::try_from(text.len()).is_ok_and(|length| length > MAX_BYTES) {
        let words = format!("standard input has more than {MAX_BYTES} bytes");
        return Err(ClientError::Usage(words));
    }
    Ok(text)
}
