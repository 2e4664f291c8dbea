//! Gives every JSON body an example: composed of the examples of its fields.
//!
//! What an operation says itself goes over it as a merge patch (RFC 7396): it names only the fields
//! that are different there, such as the state that follows.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use utoipa::Modify;
use utoipa::openapi::schema::{ArrayItems, Object, Schema, SchemaType, Type};
use utoipa::openapi::{Content, OpenApi, RefOr};

use super::operations;

type Schemas = BTreeMap<String, RefOr<Schema>>;

/// Completes the examples of requests and responses.
pub struct Examples;

impl Modify for Examples {
    fn modify(&self, document: &mut OpenApi) {
        let schemas = document.components.as_ref().map(|c| c.schemas.clone()).unwrap_or_default();
        for (_, item) in &mut document.paths.paths {
            for (_, operation) in operations(item) {
                if let Some(RefOr::T(body)) = &mut operation.request_body {
                    body.content.values_mut().for_each(|content| complete(content, &schemas));
                }
                for response in operation.responses.responses.values_mut() {
                    let RefOr::T(response) = response else { continue };
                    response.content.values_mut().for_each(|content| complete(content, &schemas));
                }
            }
        }
    }
}

fn complete(content: &mut RefOr<Content>, schemas: &Schemas) {
    let RefOr::T(content) = content else { return };
    if !content.examples.is_empty() {
        return;
    }
    let composed = content.schema.as_ref().and_then(|schema| compose(schema, schemas));
    content.example = match (composed, content.example.take()) {
        (Some(mut whole), Some(patch)) => {
            merge(&mut whole, patch);
            Some(whole)
        }
        (whole, own) => own.or(whole),
    };
}

/// Applies a merge patch, except that null is a value here and removes nothing.
fn merge(whole: &mut Value, patch: Value) {
    match (whole, patch) {
        (Value::Object(whole), Value::Object(patch)) => {
            for (name, value) in patch {
                merge(whole.entry(name).or_insert(Value::Null), value);
            }
        }
        (whole, patch) => *whole = patch,
    }
}

/// An example of the schema; none if a field that is required has none.
fn compose(schema: &RefOr<Schema>, schemas: &Schemas) -> Option<Value> {
    let schema = match schema {
        RefOr::Ref(reference) => {
            let name = reference.ref_location.rsplit('/').next()?;
            return compose(schemas.get(name)?, schemas);
        }
        RefOr::T(schema) => schema,
    };
    match schema {
        Schema::Object(object) => object.example.clone().or_else(|| of_object(object, schemas)),
        Schema::Array(array) => array.example.clone().or_else(|| match &array.items {
            ArrayItems::RefOrSchema(items) => Some(Value::Array(vec![compose(items, schemas)?])),
            ArrayItems::False => Some(Value::Array(Vec::new())),
        }),
        Schema::AllOf(all) => all.example.clone().or_else(|| {
            let mut whole = Value::Object(Map::new());
            for part in &all.items {
                merge(&mut whole, compose(part, schemas)?);
            }
            Some(whole)
        }),
        Schema::OneOf(one) => {
            one.example.clone().or_else(|| one.items.iter().find_map(|s| compose(s, schemas)))
        }
        Schema::AnyOf(any) => {
            any.example.clone().or_else(|| any.items.iter().find_map(|s| compose(s, schemas)))
        }
        _ => None,
    }
}

fn of_object(object: &Object, schemas: &Schemas) -> Option<Value> {
    if let Some(first) = object.enum_values.as_ref().and_then(|values| values.first()) {
        return Some(first.clone());
    }
    if object.schema_type != SchemaType::new(Type::Object) {
        return None;
    }
    let mut whole = Map::new();
    for (name, schema) in &object.properties {
        match compose(schema, schemas) {
            Some(value) => drop(whole.insert(name.clone(), value)),
            None if object.required.contains(name) => return None,
            None => {}
        }
    }
    Some(Value::Object(whole))
}
