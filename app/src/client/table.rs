//! Tables for people: which columns a resource has, how wide they may be, and what colour a state is.

use serde_json::Value;
use tabled::builder::Builder;
use tabled::grid::util::string::get_text_width;
use tabled::settings::object::{Cell, Columns};
use tabled::settings::style::Style as Frame;
use tabled::settings::{Color, Padding, Width};

/// Between two columns.
const GAP: usize = 2;
/// A column that has to give way keeps this much.
const MIN_WIDTH: usize = 8;
const CUT: &str = "...";

/// What a table shows of a resource.
pub struct Shape {
    /// Where its id is, as a JSON pointer.
    pub id: &'static str,
    /// What is shown, in this order.
    pub columns: &'static [Column],
}

/// One column, or one line if only one thing is shown.
#[derive(Clone, Copy)]
pub struct Column {
    title: &'static str,
    /// A JSON pointer.
    at: &'static str,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Never cut: half an id is none.
    Whole,
    /// Cut where the terminal ends.
    Text,
    /// A time, shown to the second.
    Time,
    /// A state, with a colour.
    State,
}

impl Column {
    /// Something that is of no use if it is cut, such as an id.
    pub const fn whole(title: &'static str, at: &'static str) -> Self {
        Self { title, at, kind: Kind::Whole }
    }

    /// Something that may be cut.
    pub const fn text(title: &'static str, at: &'static str) -> Self {
        Self { title, at, kind: Kind::Text }
    }

    /// A time.
    pub const fn time(title: &'static str, at: &'static str) -> Self {
        Self { title, at, kind: Kind::Time }
    }

    /// A state.
    pub const fn state(title: &'static str, at: &'static str) -> Self {
        Self { title, at, kind: Kind::State }
    }

    fn of(self, row: &Value) -> String {
        let text = text(row, self.at);
        match (self.kind, text.split_once('.')) {
            (Kind::Time, Some((seconds, fraction))) if fraction.ends_with('Z') => {
                format!("{seconds}Z")
            }
            _ if text.is_empty() => "-".to_owned(),
            _ => text,
        }
    }
}

/// How wide and how colourful a table may be.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    /// The terminal's columns; `None` if nothing has to fit.
    pub width: Option<usize>,
    /// Whether states have colours.
    pub colors: bool,
}

/// A line for each row.
pub fn list(rows: &[Value], shape: &Shape, style: Style) -> String {
    let titles = shape.columns.iter().map(|column| column.title.to_owned()).collect::<Vec<_>>();
    let cells: Vec<Vec<String>> = rows
        .iter()
        .map(|row| shape.columns.iter().map(|column| column.of(row)).collect())
        .collect();
    let lines = std::iter::once(&titles).chain(&cells);
    let mut table = lines.collect::<Builder>().build();
    for (at, width) in cuts(shape, &titles, &cells, style.width) {
        table.modify(Columns::one(at), Width::truncate(width).suffix(CUT));
    }
    let states = shape.columns.iter().enumerate().filter(|(_, column)| column.kind == Kind::State);
    for (x, _) in states.filter(|_| style.colors) {
        for (y, row) in cells.iter().enumerate() {
            if let Some(color) = row.get(x).and_then(|state| color(state)) {
                table.modify(Cell::new(y + 1, x), color);
            }
        }
    }
    finish(table)
}

/// A line for each column.
pub fn object(object: &Value, shape: &Shape, style: Style) -> String {
    let rows = shape.columns.iter().map(|column| [column.title.to_owned(), column.of(object)]);
    let mut table = rows.collect::<Builder>().build();
    for (y, column) in shape.columns.iter().enumerate() {
        if column.kind == Kind::State
            && style.colors
            && let Some(color) = color(&column.of(object))
        {
            table.modify(Cell::new(y, 1), color);
        }
    }
    finish(table)
}

/// What stands at a JSON pointer, on one line and harmless to a terminal.
pub fn text(row: &Value, at: &str) -> String {
    match row.pointer(at) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => harmless(text),
        Some(Value::Array(list)) => {
            list.iter().map(|item| text(item, "")).collect::<Vec<_>>().join(", ")
        }
        Some(other) => harmless(&other.to_string()),
    }
}

/// Without the characters that command a terminal: a name may come from anybody.
pub fn harmless(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn finish(mut table: tabled::Table) -> String {
    table.with(Frame::empty()).with(Padding::new(0, GAP, 0, 0));
    let mut text = String::new();
    for line in table.to_string().lines() {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Which columns are cut to which width, so that a line fits.
fn cuts(
    shape: &Shape,
    titles: &[String],
    cells: &[Vec<String>],
    width: Option<usize>,
) -> Vec<(usize, usize)> {
    let Some(width) = width else { return Vec::new() };
    let mut widths: Vec<usize> = (0..titles.len())
        .map(|x| {
            let column = std::iter::once(titles).chain(cells.iter().map(Vec::as_slice));
            column.filter_map(|row| row.get(x)).map(|cell| get_text_width(cell)).max().unwrap_or(0)
        })
        .collect();
    let is_soft = |x: usize| shape.columns.get(x).is_some_and(|column| column.kind == Kind::Text);
    let gaps = GAP * titles.len().saturating_sub(1);
    while widths.iter().sum::<usize>() + gaps > width {
        let soft = widths.iter_mut().enumerate().filter(|(x, w)| is_soft(*x) && **w > MIN_WIDTH);
        let Some((_, widest)) = soft.max_by_key(|(_, width)| **width) else { break };
        *widest -= 1;
    }
    widths.into_iter().enumerate().filter(|(x, _)| is_soft(*x)).collect()
}

/// Green is done, yellow goes on, red has ended badly.
fn color(state: &str) -> Option<Color> {
    match state {
        "sent" | "accepted" | "active" | "delivered" | "enabled" => Some(Color::FG_GREEN),
        "queued" | "scheduled" | "sending" | "retrying" | "uncertain" | "pending" | "invited" => {
            Some(Color::FG_YELLOW)
        }
        "failed" | "bounced" | "complained" | "suppressed" | "expired" | "declined" | "revoked"
        | "removed" | "disabled" => Some(Color::FG_RED),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SHAPE: Shape = Shape {
        id: "/id",
        columns: &[
            Column::whole("ID", "/id"),
            Column::text("NAME", "/name"),
            Column::state("STATUS", "/status"),
            Column::time("AT", "/at"),
        ],
    };

    fn rows() -> Vec<Value> {
        vec![
            json!({"id": "0123456789", "name": "Ann Example of Nowhere", "status": "sent",
                   "at": "2026-01-02T03:04:05.678Z"}),
            json!({"id": "1", "name": "é漢字\u{1b}[2J", "status": "failed", "at": null}),
        ]
    }

    #[test]
    fn without_a_width_nothing_is_cut() {
        let table = list(&rows(), &SHAPE, Style { width: None, colors: false });
        let expected = "\
ID          NAME                    STATUS  AT
0123456789  Ann Example of Nowhere  sent    2026-01-02T03:04:05Z
1           é漢字 [2J               failed  -
";
        assert_eq!(table, expected);
    }

    #[test]
    fn text_gives_way_and_ids_do_not() {
        for width in [50, 55, 60] {
            let table = list(&rows(), &SHAPE, Style { width: Some(width), colors: false });
            assert!(table.lines().all(|line| get_text_width(line) <= width), "{width}\n{table}");
            assert!(table.contains("0123456789  Ann") && table.contains("..."), "{table}");
        }
        let narrowest = list(&rows(), &SHAPE, Style { width: Some(1), colors: false });
        assert!(narrowest.contains("0123456789  Ann E...  sent"), "{narrowest}");
    }

    #[test]
    fn colours_are_for_states_alone() {
        let style = Style { width: None, colors: true };
        let table = list(&rows(), &SHAPE, style);
        assert!(table.contains("\u{1b}[32msent\u{1b}[39m"), "{table:?}");
        assert_eq!(table.matches('\u{1b}').count(), 4, "{table:?}");
        assert!(object(&rows()[1], &SHAPE, style).contains("\u{1b}[31mfailed"));
    }
}
