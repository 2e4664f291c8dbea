//! What the document says is complete, and its examples are what its schemas take.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::problems;
use super::{document, operations};
use crate::routes::invitations::fields::Fields;

/// Every request and response body: where it stands, its media type and what is said about it.
fn bodies<'a>(
    document: &'a Value,
    name: &str,
    operation: &'a Value,
) -> Vec<(String, &'a str, &'a Value)> {
    let mut places = vec![(format!("{name}, request"), &operation["requestBody"])];
    let responses = operation["responses"].as_object().unwrap().iter();
    places.extend(responses.map(|(status, response)| {
        let shared = response["$ref"].as_str().map(|name| &name[1..]);
        let response = shared.map_or(response, |name| document.pointer(name).unwrap());
        (format!("{name}, {status}"), response)
    }));
    let with_content = |(place, it): (String, &'a Value)| Some((place, it["content"].as_object()?));
    let contents = places.into_iter().filter_map(with_content);
    contents
        .flat_map(|(place, content)| {
            content.iter().map(move |(kind, content)| (place.clone(), kind.as_str(), content))
        })
        .collect()
}

fn examples(content: &Value) -> Vec<&Value> {
    let many = content["examples"].as_object().into_iter().flatten();
    content.get("example").into_iter().chain(many.map(|(_, example)| &example["value"])).collect()
}

fn assert_takes(schema: &Value, document: &Value, example: &Value, place: &str) {
    let schema = json!({ "allOf": [schema], "components": document["components"] });
    let schema = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    let problems: Vec<_> = schema.iter_errors(example).map(|error| error.to_string()).collect();
    assert!(problems.is_empty(), "{place}: {problems:?} in {example:#}");
}

#[test]
fn every_body_has_examples_that_its_schema_takes() {
    let document = document();
    for (method, path, operation) in operations(&document) {
        for (place, kind, content) in bodies(&document, &format!("{method} {path}"), operation) {
            let examples = examples(content);
            assert!(!examples.is_empty(), "{place} has no example of {kind}");
            for example in examples {
                assert_takes(&content["schema"], &document, example, &place);
            }
        }
    }
}

#[test]
fn every_parameter_is_described_and_its_example_fits() {
    let document = document();
    for (method, path, operation) in operations(&document) {
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        for parameter in &parameters {
            let place = format!("{method} {path}, {}", parameter["name"]);
            assert!(parameter["description"].is_string(), "{place} is not described");
            if let Some(example) = parameter.get("example") {
                assert_takes(&parameter["schema"], &document, example, &place);
            }
        }
        for name in path.split(['{', '}']).skip(1).step_by(2) {
            let known = parameters.iter().any(|p| p["in"] == "path" && p["name"] == name);
            assert!(known, "{method} {path}: {name} is not documented");
        }
    }
}

#[test]
fn every_field_is_described() {
    let document = document();
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        assert!(schema["description"].is_string(), "{name} is not described");
        let parts = schema["allOf"].as_array().into_iter().flatten().chain([schema]);
        for (field, schema) in parts.filter_map(|part| part["properties"].as_object()).flatten() {
            let described = schema["description"].is_string()
                || schema["oneOf"].as_array().is_some_and(|one| one[0]["description"].is_string());
            assert!(described, "{name}.{field} is not described: {schema}");
        }
    }
}

#[test]
fn every_operation_says_what_it_is() {
    let document = document();
    let tags: BTreeSet<_> =
        document["tags"].as_array().unwrap().iter().map(|tag| tag["name"].as_str()).collect();
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        let name = format!("{method} {path}");
        assert!(operation["summary"].is_string(), "{name} has no summary");
        let id = operation["operationId"].as_str().unwrap_or_default();
        assert!(ids.insert(id.to_owned()), "{name}: there are two {id}");
        let tag = operation["tags"][0].as_str();
        assert!(tags.contains(&tag), "{name}: the tag {tag:?} is not described");
        let unknown = operation.get(problems::LIST);
        assert!(unknown.is_none(), "{name} lists codes that are not in the table: {unknown:?}");
    }
}

#[test]
fn every_column_of_a_file_is_named_where_people_look() {
    let document = document();
    let operations = operations(&document);
    let batch = operations.into_iter().find(|(.., batch)| batch["operationId"] == "create_batch");
    let described = batch.unwrap().2["description"].as_str().unwrap().to_owned();
    let console = include_str!("../../../../templates/console/batches.html.hbs");
    for column in Fields::COLUMNS {
        assert!(described.contains(&format!("`{column}`")), "{column}: {described}");
        assert!(console.contains(&format!("<code>{column}</code>")), "{column}: {console}");
    }
}
