//! What was found, how bad it is, and what to do about it.
#![expect(clippy::print_stdout, reason = "commands print their result")]

use serde_json::json;

/// One thing that was looked at.
#[derive(Debug)]
pub struct Finding {
    /// What was looked at, in a word or two.
    pub what: &'static str,
    /// How it is.
    pub verdict: Verdict,
    /// What was found.
    pub detail: String,
    /// What to do about it, if something is to be done.
    pub next_step: Option<String>,
}

/// How a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// As it should be.
    Good,
    /// It works, and may surprise.
    Doubtful,
    /// Mails are late or lost on their way to people because of it.
    Bad,
}

impl Verdict {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Doubtful => "doubtful",
            Self::Bad => "bad",
        }
    }
}

impl Finding {
    /// As it should be.
    pub fn good(what: &'static str, detail: impl Into<String>) -> Self {
        Self { what, verdict: Verdict::Good, detail: detail.into(), next_step: None }
    }

    /// It works, and may surprise.
    pub fn doubtful(what: &'static str, detail: impl Into<String>, todo: &str) -> Self {
        let next_step = Some(todo.to_owned());
        Self { what, verdict: Verdict::Doubtful, detail: detail.into(), next_step }
    }

    /// Something has to be done.
    pub fn bad(what: &'static str, detail: impl Into<String>, todo: &str) -> Self {
        let next_step = Some(todo.to_owned());
        Self { what, verdict: Verdict::Bad, detail: detail.into(), next_step }
    }
}

/// Prints a line for each, and what to do about it.
pub fn print(findings: &[Finding]) {
    let width = findings.iter().map(|finding| finding.what.len()).max().unwrap_or_default();
    for Finding { what, verdict, detail, next_step } in findings {
        let mark = match verdict {
            Verdict::Good => "ok   ",
            Verdict::Doubtful => "hm   ",
            Verdict::Bad => "WRONG",
        };
        println!("{mark}  {what:width$}  {detail}");
        if let Some(todo) = next_step {
            println!("       {:width$}  → {todo}", "");
        }
    }
}

/// Prints them for programs.
pub fn print_json(findings: &[Finding]) {
    let all: Vec<_> = findings
        .iter()
        .map(|Finding { what, verdict, detail, next_step }| {
            let verdict = verdict.as_str();
            json!({ "what": what, "verdict": verdict, "detail": detail, "next_step": next_step })
        })
        .collect();
    println!("{:#}", json!({ "findings": all }));
}
