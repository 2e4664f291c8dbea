//! A JSON object a line.

use std::io::{BufRead, BufReader, Read};

use super::{Given, MAX_ROW, Sink, broke_off, fault, not_utf8, too_long};
use crate::json;
use crate::routes::invitations::fields::Fields;

const BOM: &[u8] = b"\xef\xbb\xbf";

/// Reads all rows; lines with nothing in them are none.
pub fn read(body: impl Read, sink: Sink<'_>) -> Result<(), crate::problem::ApiError> {
    let mut body = BufReader::new(body);
    let mut number = 0;
    let mut line = Vec::new();
    while let Some(is_whole) = next_line(&mut body, &mut line).map_err(|error| broke_off(&error))? {
        number += 1;
        let text = if number == 1 { line.strip_prefix(BOM).unwrap_or(&line) } else { &line };
        if text.trim_ascii().is_empty() {
            continue;
        }
        sink(if is_whole { row(number, text) } else { Given::new(number, "", Err(too_long())) })?;
    }
    Ok(())
}

fn row(number: u32, text: &[u8]) -> Given {
    let Ok(text) = std::str::from_utf8(text) else {
        return Given::new(number, "", Err(not_utf8()));
    };
    match json::parse::<Fields>(text) {
        Ok(fields) => {
            let email = fields.email().to_owned();
            Given::new(number, &email, Ok(fields))
        }
        Err(error) => {
            let value: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
            let email = value.get("email").and_then(serde_json::Value::as_str).unwrap_or_default();
            Given::new(number, email, Err(fault(&error)))
        }
    }
}

/// Whether the next line, without its end, is whole; of one that is too long the rest is passed over.
/// `None` at the end of the body.
fn next_line(body: &mut impl BufRead, line: &mut Vec<u8>) -> std::io::Result<Option<bool>> {
    line.clear();
    let most = u64::try_from(MAX_ROW).unwrap_or(u64::MAX);
    let mut is_whole = true;
    loop {
        let read = body.by_ref().take(most).read_until(b'\n', line)?;
        let ends = line.last() == Some(&b'\n') || read == 0;
        if read == 0 && line.is_empty() && is_whole {
            return Ok(None);
        }
        if ends {
            return Ok(Some(is_whole && line.len() <= MAX_ROW));
        }
        if line.len() >= MAX_ROW {
            is_whole = false;
            line.clear();
        }
    }
}
