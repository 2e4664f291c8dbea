//! The table of the last run, which docs/reliability.md shows: one row for each fault, and for what was
//! planned.

use std::path::Path;

use super::history::Tally;

/// How many mails may have come twice.
pub enum Repeats {
    /// Nothing that happens leaves any doubt about a mail.
    None,
    /// So many at most: one for each moment of doubt.
    UpTo(usize),
}

/// Nothing is lost, no mail is repeated without need, and a repeat is the same mail. Leaves a row
/// for the table of the last run: a number, what happened, and the tally.
pub fn record(number: &str, what: &str, tally: &Tally, repeats: &Repeats) {
    let row = format!("| {number} | {what} {tally}\n");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("faults");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(number), &row).unwrap();
    assert_eq!((tally.lost, tally.unasked, tally.differing), (0, 0, 0), "{row}");
    assert!(tally.sent + tally.failed >= tally.acknowledged, "{row}");
    match repeats {
        Repeats::None => assert_eq!(tally.repeated, 0, "{row}"),
        Repeats::UpTo(most) => assert!(tally.repeated <= *most, "{row}"),
    }
}
