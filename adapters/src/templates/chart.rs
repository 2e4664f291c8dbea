//! A bar chart as numbers, which a template draws as SVG: no script, no style in the page.

use serde::Serialize;

use crate::store::{Activity, Minute};

const WIDTH: u64 = 600;
const HEIGHT: u64 = 120;

/// What became of invitations, minute by minute.
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
    waiting: u64,
    in_vain: u64,
}

/// One minute: three rectangles, one above the other.
#[derive(Serialize)]
struct Bar {
    minute: String,
    x: u64,
    width: u64,
    sent: Part,
    waiting: Part,
    in_vain: Part,
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
        let most = minutes.iter().map(Minute::made).max().unwrap_or_default();
        let slot = WIDTH / (minutes.len() as u64).max(1);
        let bar = |(at, minute)| Bar::new(minute, at as u64 * slot, slot.saturating_sub(2), most);
        let sum = |of: fn(&Minute) -> u64| minutes.iter().map(of).sum();
        Self {
            width: WIDTH,
            height: HEIGHT,
            bars: minutes.iter().enumerate().map(bar).collect(),
            most,
            made: sum(Minute::made),
            sent: sum(|minute| minute.sent),
            waiting: sum(|minute| minute.waiting),
            in_vain: sum(|minute| minute.in_vain),
        }
    }
}

impl Bar {
    fn new(minute: &Minute, x: u64, width: u64, most: u64) -> Self {
        let mut top = HEIGHT;
        let mut part = |count: u64| {
            // A single one among thousands is still to be seen.
            let height = (count * HEIGHT).div_ceil(most.max(1));
            top = top.saturating_sub(height);
            Part { count, y: top, height }
        };
        let (sent, waiting, in_vain) =
            (part(minute.sent), part(minute.waiting), part(minute.in_vain));
        Self { minute: minute.start.format("%H:%M").to_string(), x, width, sent, waiting, in_vain }
    }
}

impl Minute {
    /// How many invitations were made.
    pub const fn made(&self) -> u64 {
        self.sent + self.waiting + self.in_vain
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn bars_are_as_high_as_their_share_of_the_most() {
        let start = domain::Timestamp::UNIX_EPOCH;
        let minute = |at, sent, waiting, in_vain| Minute {
            start: start + TimeDelta::minutes(at),
            sent,
            waiting,
            in_vain,
        };
        let minutes = vec![minute(0, 2, 1, 1), minute(1, 0, 0, 0), minute(2, 1, 0, 0)];
        let chart = Chart::new(&Activity { minutes, cut: false, troubled: Vec::new() });
        assert_eq!((chart.most, chart.made, chart.sent), (4, 5, 3));
        let heights = |bar: &Bar| [bar.sent.height, bar.waiting.height, bar.in_vain.height];
        assert_eq!(
            chart.bars.iter().map(heights).collect::<Vec<_>>(),
            [[60, 30, 30], [0, 0, 0], [30, 0, 0]]
        );
        assert_eq!(chart.bars[0].in_vain.y, 0, "the highest reaches the top");
        assert_eq!(chart.bars[2].x, 400);
    }
}
