//! How answers are shown: as a table for people, as JSON or YAML for programs, or as ids alone.

use std::io::{self, ErrorKind, IsTerminal, Write};

use anstream::{AutoStream, ColorChoice};
use serde_json::Value;

use super::error::ClientError;
use super::options::{ClientOptions, Colors, Format};
use super::table::{self, Shape, Style};

/// Where answers go, and in which form.
pub struct Output {
    format: Format,
    /// Ids alone, and no remarks.
    pub quiet: bool,
    terminal: bool,
    style: Style,
}

impl Output {
    /// Looks at standard output: a terminal gets tables and colours, a pipe gets neither.
    pub fn new(options: &ClientOptions) -> Self {
        let stdout = io::stdout();
        let terminal = stdout.is_terminal();
        let colors = match options.color {
            Colors::Always => true,
            Colors::Never => false,
            Colors::Auto => terminal && AutoStream::choice(&stdout) != ColorChoice::Never,
        };
        let size = rustix::termios::tcgetwinsize(&stdout).ok().filter(|_| terminal);
        let width = size.map(|size| usize::from(size.ws_col)).filter(|columns| *columns > 0);
        let format = match (options.output, terminal) {
            (Format::Auto, true) => Format::Table,
            (Format::Auto, false) => Format::Json,
            (given, _) => given,
        };
        Self { format, quiet: options.quiet, terminal, style: Style { width, colors } }
    }

    /// Shows one thing.
    pub fn object(&self, object: &Value, shape: &Shape) -> Result<(), ClientError> {
        if self.quiet {
            return write_line(&table::text(object, shape.id));
        }
        match self.format {
            Format::Table => write_out(&table::object(object, shape, self.style)),
            _ => self.value(object),
        }
    }

    /// Shows a page or several: `{"data": […], "next_cursor": …}`.
    pub fn list(&self, list: &Value, shape: &Shape) -> Result<(), ClientError> {
        let rows = list.get("data").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        if self.quiet {
            let ids = rows.iter().map(|row| table::text(row, shape.id) + "\n");
            return write_out(&ids.collect::<String>());
        }
        match self.format {
            Format::Table if rows.is_empty() => self.remark("there are none"),
            Format::Table => return write_out(&table::list(rows, shape, self.style)),
            _ => return self.value(list),
        }
        Ok(())
    }

    /// Shows a value in the language for programs that was asked for.
    pub fn value(&self, value: &Value) -> Result<(), ClientError> {
        let text = match self.format {
            Format::Yaml => serde_saphyr::to_string(value).map_err(|error| error.to_string()),
            // As gh does: a person reads many lines, a program one.
            _ if self.terminal => serde_json::to_string_pretty(value).map_err(|e| e.to_string()),
            _ => Ok(value.to_string()),
        };
        let text = text.map_err(|error| {
            ClientError::Local(format!("the answer cannot be shown: {error}; try --output json"))
        })?;
        write_line(text.trim_end())
    }

    /// Says that something is done to the thing with this id, which has nothing else to show.
    pub fn done(&self, id: &str, what: &str) -> Result<(), ClientError> {
        if self.quiet {
            return write_line(id);
        }
        match self.format {
            Format::Table => self.remark(&format!("{what} {id}")),
            _ => return self.value(&serde_json::json!({ "id": id, what: true })),
        }
        Ok(())
    }

    /// Whether answers are shown to a person, as tables.
    pub fn is_table(&self) -> bool {
        self.format == Format::Table && !self.quiet
    }

    /// Says something that is no data; nothing with `--quiet`.
    pub fn remark(&self, text: &str) {
        if !self.quiet {
            say(text);
        }
    }
}

/// Writes to standard error; that nobody listens there stops nothing.
pub fn say(text: &str) {
    let _ = writeln!(io::stderr(), "welcomat: {}", table::harmless(text).trim_end());
}

/// Writes one line.
pub fn write_line(line: &str) -> Result<(), ClientError> {
    write_out(&format!("{line}\n"))
}

/// Writes everything at once: a table that is interrupted is either there or not.
pub fn write_out(text: &str) -> Result<(), ClientError> {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    written.map_err(|error| match error.kind() {
        ErrorKind::BrokenPipe => ClientError::OutputClosed,
        _ => ClientError::Local(format!("the output cannot be written: {error}")),
    })
}
