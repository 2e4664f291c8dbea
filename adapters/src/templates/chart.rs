//! A bar chart as numbers, which a template draws as SVG: no script, no style in the page.

use serde::Serialize;

use crate::store::{Activity, Minute};

const WIDTH: u64 = 600;
const HEIGHT: u64 = 120;

/// What happened, minute by minute.
#[derive(Serialize)]
pub struct Chart {
    width: u64,
    height: u64,
    bars: Vec<Bar>,
    /// The most in one minute: what the highest bar stands for.
    most: u64,
    /// In all.
    made: u64,
    sent: u64,
    failed: u64,
}

/// One minute: what was made behind, and in front of it what became of mails, one above the other.
#[derive(Serialize)]
struct Bar {
    minute: String,
    x: u64,
    width: u64,
    /// Where those in front begin, and how wide they are.
    front_x: u64,
    front_width: u64,
    made: Part,
    sent: Part,
    failed: Part,
}

#[derive(Serialize)]
struct Part {
    count: u64,
    y: u64,
    height: u64,
}

impl Chart {
    /// Draws what there is.
    pub fn new(activity: &Activity) -> Self {
        let minutes = &activity.minutes;
        let highest = |minute: &Minute| minute.made.max(minute.sent + minute.failed);
        let most = minutes.iter().map(highest).max().unwrap_or_default();
        let slot = WIDTH / (minutes.len() as u64).max(1);
        let bar = |(at, minute)| Bar::new(minute, at as u64 * slot, slot.saturating_sub(1), most);
        let sum = |of: fn(&Minute) -> u64| minutes.iter().map(of).sum();
        Self {
            width: WIDTH,
            height: HEIGHT,
            bars: minutes.iter().enumerate().map(bar).collect(),
            most,
            made: sum(|minute| minute.made),
            sent: sum(|minute| minute.sent),
            failed: sum(|minute| minute.failed),
        }
    }
}

impl Bar {
    fn new(minute: &Minute, x: u64, width: u64, most: u64) -> Self {
        // A single one among thousands is still to be seen.
        let height = |count: u64| (count * HEIGHT).div_ceil(most.max(1));
        let part = |count: u64, bottom: u64| {
            let height = height(count);
            Part { count, y: bottom.saturating_sub(height), height }
        };
        let sent = part(minute.sent, HEIGHT);
        Self {
            minute: minute.start.format("%H:%M").to_string(),
            x,
            width,
            front_x: x + width / 4,
            front_width: width - width / 4 * 2,
            made: part(minute.made, HEIGHT),
            failed: part(minute.failed, sent.y),
            sent,
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn bars_are_as_high_as_their_share_of_the_most() {
        let start = domain::Timestamp::UNIX_EPOCH;
        let minute = |at, made, sent, failed| Minute {
            start: start + TimeDelta::minutes(at),
            made,
            sent,
            failed,
        };
        let minutes = vec![minute(0, 1, 3, 1), minute(1, 0, 0, 0), minute(2, 2, 1, 0)];
        let chart = Chart::new(&Activity {
            minutes,
            cut: None,
            waiting: 0,
            more_waiting: false,
            troubled: Vec::new(),
        });
        assert_eq!((chart.most, chart.made, chart.sent, chart.failed), (4, 3, 4, 1));
        let heights = |bar: &Bar| [bar.made.height, bar.sent.height, bar.failed.height];
        assert_eq!(
            chart.bars.iter().map(heights).collect::<Vec<_>>(),
            [[30, 90, 30], [0, 0, 0], [60, 30, 0]]
        );
        assert_eq!(chart.bars[0].failed.y, 0, "the highest reaches the top");
        assert_eq!((chart.bars[2].x, chart.bars[2].front_x), (400, 449));
    }
}
