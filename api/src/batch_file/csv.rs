//! Comma- or semicolon-separated values with a header, as spreadsheets write them, in and out.

use std::io::Read;

use adapters::store::RowFault;

use super::cells::{Record, Records};
use super::{Given, Sink, broke_off, fault, not_utf8, spoiled, unreadable};
use crate::problem::{ApiError, FieldError};
use crate::routes::invitations::fields::Fields;

const BOM: &[u8] = b"\xef\xbb\xbf";
const UTF_16: [&[u8]; 2] = [b"\xff\xfe", b"\xfe\xff"];
/// How much is looked at before the first row is read: a header is shorter.
const HEAD: u64 = 4096;
const EMAIL: &str = "email";

/// Reads all rows; those without any text are none.
pub fn read(mut body: impl Read, sink: Sink<'_>) -> Result<(), ApiError> {
    let broken = |error: std::io::Error| broke_off(&error);
    let mut head = Vec::new();
    body.by_ref().take(HEAD).read_to_end(&mut head).map_err(broken)?;
    if UTF_16.iter().any(|mark| head.starts_with(mark)) {
        return Err(spoiled("", "is UTF-16; save the file as CSV in UTF-8"));
    }
    let head = head.strip_prefix(BOM).unwrap_or(&head);
    let mut records = Records::new(head, head.chain(body));
    let mut columns = None;
    while let Some(record) = records.next().map_err(broken)? {
        if record.is_blank() {
            continue;
        }
        match &columns {
            None => columns = Some(header(record)?),
            Some(columns) => sink(row(columns, record))?,
        }
    }
    Ok(())
}

/// One line of cells, which no spreadsheet takes for a formula.
pub fn line<'a>(cells: impl IntoIterator<Item = &'a str>) -> String {
    let cells: Vec<String> = cells.into_iter().map(cell).collect();
    cells.join(",") + "\r\n"
}

fn cell(text: &str) -> String {
    // What a spreadsheet would compute; the apostrophe says that it is text.
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    if guard.is_empty() && !text.contains([',', ';', '"', '\r', '\n']) {
        return text.to_owned();
    }
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

/// The columns, in their order.
fn header(record: Record) -> Result<Vec<String>, ApiError> {
    let mut errors = Vec::new();
    if record.fault.is_some() {
        return Err(spoiled("", "has a first line that is no header"));
    }
    let mut columns: Vec<String> = Vec::new();
    for cell in record.cells {
        let name = String::from_utf8_lossy(&cell).trim().to_lowercase();
        let shown: String = name.chars().filter(|c| !c.is_control()).take(64).collect();
        if columns.contains(&name) {
            errors.push(FieldError::new(shown, "is given twice"));
        } else if !Fields::COLUMNS.contains(&name.as_str()) {
            let known = Fields::COLUMNS.join(", ");
            errors.push(FieldError::new(shown, format!("is not known here; columns are {known}")));
        }
        columns.push(name);
    }
    if !columns.iter().any(|name| name == EMAIL) {
        errors.push(FieldError::new(EMAIL, "is required; the first line names the columns"));
    }
    if errors.is_empty() { Ok(columns) } else { Err(ApiError::Invalid(errors)) }
}

fn row(columns: &[String], record: Record) -> Given {
    let line = record.line;
    let (email, fields) = match cells(columns, record) {
        Ok(cells) => {
            let mut cells: Vec<_> = columns.iter().zip(cells).collect();
            let mut take = |name: &str| {
                let at = cells.iter().position(|(column, _)| *column == name)?;
                Some(cells.swap_remove(at).1).filter(|text| !text.is_empty())
            };
            let email = take(EMAIL);
            let shown = email.clone().unwrap_or_default();
            let fields = Fields::of_texts(email, take).map_err(|error| fault(&error));
            (shown, fields)
        }
        Err(fault) => (String::new(), Err(fault)),
    };
    Given::new(line, &email, fields)
}

/// As many as there are columns.
fn cells(columns: &[String], record: Record) -> Result<Vec<String>, RowFault> {
    if let Some(fault) = record.fault {
        return Err(fault);
    }
    let text = |cell: Vec<u8>| String::from_utf8(cell).map(|text| text.trim().to_owned());
    let cells: Result<Vec<String>, _> = record.cells.into_iter().map(text).collect();
    let cells = cells.map_err(|_| not_utf8())?;
    let more = cells.iter().skip(columns.len()).any(|cell| !cell.is_empty());
    if more || cells.len() < columns.len() {
        let (has, wanted) = (cells.len(), columns.len());
        let detail = format!("The row has {has} cells, the header {wanted}.");
        return Err(unreadable("row_malformed", detail));
    }
    Ok(cells)
}

impl Record {
    fn is_blank(&self) -> bool {
        self.fault.is_none() && self.cells.iter().all(|cell| cell.trim_ascii().is_empty())
    }
}
