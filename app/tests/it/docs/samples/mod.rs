//! Every code sample that is published is run, exactly as published.

mod own;
mod runtime;

use std::collections::BTreeSet;

use serde_json::Value;

use self::own::Own;
use self::runtime::{Language, Runtime};
use crate::harness::{Stack, TestApp, block_on, text};

/// A sample in a language, with what the document says about its operation.
struct Sample {
    operation: String,
    language: String,
    source: String,
    /// The statuses that the operation can have when all is well.
    good: Vec<u64>,
}

#[test]
fn with_curl() {
    run_all(runtime::CURL);
}

#[test]
fn in_javascript() {
    run_all(runtime::JAVASCRIPT);
}

#[test]
fn in_python() {
    run_all(runtime::PYTHON);
}

#[test]
fn in_go() {
    run_all(runtime::GO);
}

#[test]
fn in_rust() {
    run_all(runtime::RUST);
}

fn run_all(language: Language) {
    block_on(async {
        let app = TestApp::start(Stack::Embedded).await;
        let mut samples = samples(&app.get("/openapi.json").await);
        let operations =
            samples.iter().map(|sample| &sample.operation).collect::<BTreeSet<_>>().len();
        samples.retain(|sample| sample.language == language.name);
        assert_eq!(samples.len(), operations, "every operation has a sample in {}", language.name);
        let Some(runtime) = Runtime::installed(language, &samples) else { return };
        let mut own = Own::new(&app);
        let mut failures = Vec::new();
        for sample in &samples {
            let variables = own.variables(sample).await;
            failures.extend(run(&runtime, sample, &variables).err());
        }
        assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    });
}

fn samples(document: &Value) -> Vec<Sample> {
    let items = document["paths"].as_object().unwrap().values();
    let operations = items.flat_map(|item| item.as_object().unwrap().values());
    let samples = operations.flat_map(|operation| {
        let codes = operation["responses"].as_object().unwrap().keys();
        let codes = codes.filter_map(|code| code.parse().ok());
        let good: Vec<u64> = codes.filter(|code| (200..300).contains(code)).collect();
        assert!(!good.is_empty(), "an operation can succeed");
        operation["x-codeSamples"].as_array().into_iter().flatten().map(move |sample| Sample {
            operation: text(&operation["operationId"]),
            language: text(&sample["label"]),
            source: text(&sample["source"]),
            good: good.clone(),
        })
    });
    samples.collect()
}

/// Every sample prints the status first; curl prints it after the version of the protocol.
fn run(runtime: &Runtime, sample: &Sample, variables: &[(String, String)]) -> Result<(), String> {
    let output = runtime.run(sample, variables);
    let (printed, errors) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let mut words = printed.split_whitespace().skip_while(|word| word.starts_with("HTTP/"));
    let status = words.next().and_then(|word| word.parse().ok());
    if output.status.success() && status.is_some_and(|status| sample.good.contains(&status)) {
        return Ok(());
    }
    let Sample { operation, language, source, good } = sample;
    Err(format!("{operation} in {language}, not {good:?}:\n{printed}\n{errors}\nin\n{source}"))
}
