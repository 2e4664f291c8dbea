//! Holds the document to the code and to itself.

mod content;
mod served;

use serde_json::Value;

fn document() -> Value {
    serde_json::from_str(&super::json("/").unwrap()).unwrap()
}

/// Every operation with its method, in capitals, and its path.
fn operations(document: &Value) -> Vec<(String, &str, &Value)> {
    let paths = document["paths"].as_object().unwrap().iter();
    paths
        .flat_map(|(path, item)| {
            let operations = item.as_object().unwrap().iter();
            operations
                .map(move |(method, operation)| (method.to_uppercase(), path.as_str(), operation))
        })
        .collect()
}

/// A change of the API shows in review as a change of this file.
#[test]
fn the_document_is_the_one_that_was_reviewed() {
    let mut document = document();
    for operation in document["paths"].as_object_mut().unwrap().values_mut().flat_map(each) {
        operation.as_object_mut().unwrap().remove("x-codeSamples");
    }
    snapshot("openapi", &serde_json::to_string_pretty(&document).unwrap());
}

/// The samples follow from the document; one operation shows how.
#[test]
fn the_samples_are_those_that_were_reviewed() {
    let document = document();
    let operation = &document["paths"]["/v1/invitations/accept"]["post"];
    let samples = operation["x-codeSamples"].as_array().unwrap().iter();
    let sources: Vec<_> = samples.map(|sample| sample["source"].as_str().unwrap()).collect();
    snapshot("samples", &sources.join("\n\n"));
}

fn each(item: &mut Value) -> impl Iterator<Item = &mut Value> {
    item.as_object_mut().unwrap().values_mut()
}

fn snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_snapshot_path("snapshots");
    settings.bind(|| insta::assert_snapshot!(name, text));
}
