//! Every operation that the service says it has.

use crate::harness::TestApp;
use serde_json::Value;

/// Reads the document that the service serves.
pub async fn operations(app: &TestApp) -> Vec<Operation> {
    let document = app.get("/openapi.json").await;
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let Some(id) = operation["operationId"].as_str() else { continue };
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let names = parameters.filter_map(|parameter| {
                let name = parameter["name"].as_str()?;
                match parameter["in"].as_str()? {
                    "path" if ["locale", "version"].contains(&name) => None,
                    "path" => Some((name.to_owned(), true)),
                    // A filter by other things finds what the caller may see anyway.
                    "query" if name.ends_with("_id") => Some((name.to_owned(), false)),
                    _ => None,
                }
            });
            operations.push(Operation {
                id: id.to_owned(),
                method: method.to_uppercase(),
                // Words that belong to nobody.
                path: path.replace("{locale}", "de").replace("{version}", "1"),
                names: names.collect(),
                body: operation["requestBody"]["content"]["application/json"]
                    .get("example")
                    .cloned(),
                public: operation.get("security").is_none(),
            });
        }
    }
    assert!(operations.len() > 25, "the document is all there");
    operations
}

/// One operation of the document.
pub struct Operation {
    pub id: String,
    pub method: String,
    pub path: String,
    /// Parameters in path and query that name something of an organization.
    pub names: Vec<(String, bool)>,
    pub body: Option<Value>,
    pub public: bool,
}
