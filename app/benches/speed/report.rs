//! Everything that was measured, as `target/bench/report.json`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use crate::Result;
use crate::figures::{Better, Figure, STEPS, Standing};
use crate::samples::Samples;
use crate::statistics::{median, spread};

/// One figure over all rounds.
pub struct Line<'a> {
    pub figure: &'a Figure,
    pub value: f64,
    pub limit: Option<f64>,
    pub ratio: f64,
    /// The ratio of each round: limit and value of the same minute.
    pub ratios: Vec<f64>,
}

/// A whole run.
pub struct Report<'a> {
    pub title: &'static str,
    pub rounds: &'a [Samples],
    pub lines: Vec<Line<'a>>,
}

impl<'a> Report<'a> {
    /// Takes medians.
    pub fn new(title: &'static str, figures: &'a [Figure], rounds: &'a [Samples]) -> Self {
        let lines = figures.iter().filter_map(|figure| Line::new(figure, rounds)).collect();
        Self { title, rounds, lines }
    }

    /// The median of a sample over all rounds.
    pub fn median(&self, name: &str) -> Option<f64> {
        let values = self.values(name);
        (!values.is_empty()).then(|| median(&values))
    }

    /// How far the rounds are apart in a sample.
    pub fn spread(&self, name: &str) -> f64 {
        spread(&self.values(name))
    }

    /// Writes `report.json`, which the next run replaces, and `report-NAME.json`, which only its like
    /// does. Gives the path of the first.
    pub fn write(&self, folder: &Path, name: &str) -> Result<PathBuf> {
        let text = serde_json::to_string_pretty(&self.json())? + "\n";
        fs::write(folder.join(format!("report-{name}.json")), &text)?;
        let path = folder.join("report.json");
        fs::write(&path, text)?;
        Ok(path)
    }

    fn values(&self, name: &str) -> Vec<f64> {
        self.rounds.iter().filter_map(|round| round.get(name)).collect()
    }

    fn json(&self) -> Value {
        let names: BTreeSet<&str> = self.rounds.iter().flat_map(Samples::names).collect();
        let measured: Map<String, Value> = names
            .into_iter()
            .map(|name| {
                let values = self.values(name);
                (name.to_owned(), json!({"median": median(&values), "rounds": values}))
            })
            .collect();
        let steps: Map<String, Value> = STEPS
            .iter()
            .filter_map(|(step, rate)| Some(((*step).to_owned(), json!(1e6 / self.median(rate)?))))
            .collect();
        json!({
            "run": self.title,
            "machine": machine(),
            "rounds": self.rounds.len(),
            "figures": self.lines.iter().map(Line::json).collect::<Vec<_>>(),
            "roofline_us_per_invitation": steps,
            "noise": {
                "calibration_spread": self.spread("noise.loop_ms"),
                "fdatasync_spread": self.spread("noise.fdatasync_per_s"),
                "cores_busy_for_others": self.median("noise.other_cores"),
                "cores_busy_while_idle": self.median("noise.busy_while_idle"),
                "steal": self.median("noise.steal"),
                "load": self.median("noise.load"),
            },
            "measured": measured,
        })
    }
}

impl<'a> Line<'a> {
    fn new(figure: &'a Figure, rounds: &[Samples]) -> Option<Self> {
        let ratios: Vec<f64> = rounds.iter().filter_map(|round| figure.ratio(round)).collect();
        if ratios.is_empty() {
            return None;
        }
        let values: Vec<f64> = rounds.iter().filter_map(figure.value).collect();
        let limits = figure.limit.map(|limit| rounds.iter().filter_map(limit).collect::<Vec<_>>());
        Some(Self {
            figure,
            value: median(&values),
            limit: limits.map(|limits| median(&limits)),
            ratio: median(&ratios),
            ratios,
        })
    }

    /// How it stands.
    pub fn standing(&self) -> Standing {
        self.figure.standing(self.ratio)
    }

    fn json(&self) -> Value {
        let figure = self.figure;
        json!({
            "id": figure.id,
            "figure": figure.title,
            "unit": figure.unit,
            "value": self.value,
            "limit": self.limit,
            "limit_is": figure.against,
            "ratio": self.ratio,
            "ratios": self.ratios,
            "better": if figure.better == Better::Higher { "higher" } else { "lower" },
            "at_least": figure.at_least,
            "goal": figure.goal,
            "standing": match self.standing() {
                Standing::Goal => "goal",
                Standing::AtLeast => "at least",
                Standing::Short => "short",
            },
        })
    }
}

/// What it ran on.
pub fn machine() -> Value {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let cpuinfo = read("/proc/cpuinfo");
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name"));
    let model = model.map(|line| line.trim_start_matches([' ', '\t', ':'])).unwrap_or_default();
    let meminfo = read("/proc/meminfo");
    let memory = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    json!({
        "cores": std::thread::available_parallelism().map(usize::from).unwrap_or_default(),
        "model": model,
        "memory": memory.map(str::trim).unwrap_or_default(),
        "kernel": read("/proc/sys/kernel/osrelease").trim(),
    })
}
