//! Comma-separated values (RFC 4180) as records of cells, from a reader of any length.
//!
//! Beside the RFC: a line may end with LF or CR alone, and what is wrong with a record is said of that
//! record, so that one cannot spoil the others.

use std::io::{self, BufRead, BufReader, Read};

use adapters::store::RowFault;

use super::{MAX_ROW, too_long, unreadable};

/// Records, one after the other.
pub struct Records<R> {
    bytes: BufReader<R>,
    separator: u8,
    /// The line that comes next, from 1.
    line: u32,
}

/// One of them.
pub struct Record {
    /// The line that it begins in.
    pub line: u32,
    /// Its cells, without their quotes.
    pub cells: Vec<Vec<u8>>,
    /// What is wrong with its form.
    pub fault: Option<RowFault>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    /// Nothing of the cell was read.
    Start,
    Plain,
    Quoted,
    /// A quote in a quoted cell: its end, unless another one follows.
    Quote,
}

impl<R: Read> Records<R> {
    /// From the first byte; which separator it is shows in the first line of `head` that is not empty.
    pub fn new(head: &[u8], bytes: R) -> Self {
        let is_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
        let header = head.split(is_end).find(|line| !line.is_empty()).unwrap_or_default();
        let cells = |separator| header.split(|byte| *byte == separator).count();
        let separator = if cells(b';') > cells(b',') { b';' } else { b',' };
        Self { bytes: BufReader::with_capacity(64 * 1024, bytes), separator, line: 1 }
    }

    /// The next record; those of an empty line have one empty cell.
    pub fn next(&mut self) -> io::Result<Option<Record>> {
        let mut record = Record { line: self.line, cells: Vec::new(), fault: None };
        let (mut cell, mut at, mut length) = (Vec::new(), At::Start, 0_usize);
        while let Some(byte) = self.byte()? {
            length = length.saturating_add(1);
            if length > MAX_ROW && record.fault.is_none() {
                record.fault = Some(too_long());
                record.cells.clear();
                cell.clear();
            }
            let ends = matches!(byte, b'\r' | b'\n') && at != At::Quoted;
            if ends {
                record.close(&mut cell);
                return Ok(Some(record));
            }
            match (at, byte) {
                (At::Start, b'"') => at = At::Quoted,
                (At::Quoted, b'"') => at = At::Quote,
                (At::Quote, b'"') => {
                    record.keep(&mut cell, byte);
                    at = At::Quoted;
                }
                (At::Start | At::Plain | At::Quote, byte) if byte == self.separator => {
                    record.close(&mut cell);
                    at = At::Start;
                }
                (At::Quote, b' ' | b'\t') => {}
                (At::Quote, _) => {
                    let detail = "A quoted cell goes on behind its quote. Write \"\" for a quote.";
                    record.fault.get_or_insert(unreadable("row_malformed", detail));
                }
                (At::Start | At::Plain | At::Quoted, byte) => {
                    record.keep(&mut cell, byte);
                    at = if at == At::Start { At::Plain } else { at };
                }
            }
        }
        if at == At::Quoted {
            let detail = "A quote is opened here and never closed. Is the file cut off?";
            record.fault.get_or_insert(unreadable("row_malformed", detail));
        }
        if length == 0 {
            return Ok(None);
        }
        record.close(&mut cell);
        Ok(Some(record))
    }

    /// The next byte; a line end of two is one.
    fn byte(&mut self) -> io::Result<Option<u8>> {
        let Some(&byte) = self.bytes.fill_buf()?.first() else { return Ok(None) };
        self.bytes.consume(1);
        if byte == b'\r' && self.bytes.fill_buf()?.first() == Some(&b'\n') {
            self.bytes.consume(1);
            self.line = self.line.saturating_add(1);
            return Ok(Some(b'\n'));
        }
        if matches!(byte, b'\r' | b'\n') {
            self.line = self.line.saturating_add(1);
        }
        Ok(Some(byte))
    }
}

impl Record {
    fn keep(&self, cell: &mut Vec<u8>, byte: u8) {
        // Of a record that is too long nothing more is needed, however much comes.
        if self.fault.is_none() {
            cell.push(byte);
        }
    }

    fn close(&mut self, cell: &mut Vec<u8>) {
        if self.fault.is_none() {
            self.cells.push(std::mem::take(cell));
        }
    }
}
