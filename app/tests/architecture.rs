//! Holds the rules about the shape of the code that no compiler holds: which crate may name which,
//! that every file says what it is for, and that none grows without end.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Which of our crates each of our crates may name. `api` and `worker` meet only in the database.
const EDGES: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("entity", &[]),
    ("migration", &[]),
    ("adapters", &["domain", "entity", "migration"]),
    ("api", &["domain", "adapters"]),
    ("worker", &["domain", "adapters"]),
    ("app", &["domain", "entity", "migration", "adapters", "api", "worker"]),
];

/// Who alone may name a crate that reaches the outside world.
const OWNERS: &[(&str, &[&str])] = &[
    ("lapin", &["adapters"]),
    ("lettre", &["adapters"]),
    ("handlebars", &["adapters"]),
    ("actix-web", &["api", "app", "worker"]),
    ("ureq", &["adapters", "app"]),
];

/// Guards that `deploy/test/mutants` takes away, and the tests that must notice.
const MUTANTS: &str = include_str!("../../deploy/test/mutants.toml");

/// What would let I/O or an ambient clock into the core.
const NOT_IN_DOMAIN: &[&str] = &["tokio", "sea-orm", "sqlx", "lapin", "lettre", "reqwest"];

const MAX_LINES: usize = 400;

#[test]
fn every_mutant_fits_the_code_and_names_a_test() {
    let tests: String = sources().into_iter().map(|(_, text)| text).collect();
    let list: toml::Table = MUTANTS.parse().unwrap_or_else(|error| panic!("{error}"));
    let mut stale = Vec::new();
    for mutant in list["mutant"].as_array().into_iter().flatten() {
        let text = |key: &str| mutant[key].as_str().unwrap_or_default();
        for edit in mutant["edits"].as_array().into_iter().flatten() {
            let path = root().join(edit["file"].as_str().unwrap_or_default());
            let code = std::fs::read_to_string(path).unwrap_or_default();
            if code.matches(edit["old"].as_str().unwrap_or_default()).count() != 1 {
                stale.push(format!("{}: the code to change is not there once", text("guard")));
            }
        }
        let name = text("test").rsplit("::").next().unwrap();
        if !tests.contains(&format!("fn {name}(")) && !tests.contains(&format!(" {name},")) {
            stale.push(format!("{}: no test is called {name}", text("guard")));
        }
    }
    assert!(stale.is_empty(), "deploy/test/mutants.toml\n{}", stale.join("\n"));
}

#[test]
fn crates_name_only_the_crates_they_may() {
    let edges: BTreeMap<_, _> = EDGES.iter().copied().collect();
    let crates = crates();
    let members: BTreeSet<_> = crates.keys().map(String::as_str).collect();
    assert_eq!(members, edges.keys().copied().collect(), "every crate has its place in EDGES");

    let mut broken = Vec::new();
    for (name, dependencies) in &crates {
        for dependency in dependencies {
            let ours = members.contains(dependency.as_str());
            if ours && !edges[name.as_str()].contains(&dependency.as_str()) {
                broken.push(format!("{name} names {dependency}"));
            }
            let owners = OWNERS.iter().find(|(owned, _)| owned == dependency);
            if owners.is_some_and(|(_, owners)| !owners.contains(&name.as_str())) {
                broken.push(format!("{name} names {dependency}, which is for {owners:?}"));
            }
            if name == "domain" && NOT_IN_DOMAIN.contains(&dependency.as_str()) {
                broken.push(format!("the pure core names {dependency}"));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn every_file_says_what_it_is_for() {
    let silent: Vec<_> =
        sources().into_iter().filter(|(_, text)| !text.starts_with("//!")).map(|f| f.0).collect();
    assert!(silent.is_empty(), "these files do not open with //!: {silent:#?}");
}

#[test]
fn no_file_grows_beyond_what_a_reader_holds_in_mind() {
    let long: Vec<_> = sources()
        .into_iter()
        .map(|(path, text)| (path, text.lines().count()))
        .filter(|(_, lines)| *lines > MAX_LINES)
        .collect();
    assert!(long.is_empty(), "these files have more than {MAX_LINES} lines: {long:#?}");
}

/// Our crates with what each of them names, tests aside: those may look at the product from outside.
fn crates() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .unwrap_or_else(|error| panic!("cargo metadata does not run: {error}"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("cargo metadata wrote no JSON: {error}"));
    let packages = metadata["packages"].as_array().cloned().unwrap_or_default();
    packages.iter().map(|package| (text(&package["name"]), dependencies(package))).collect()
}

fn dependencies(package: &Value) -> BTreeSet<String> {
    let all = package["dependencies"].as_array().cloned().unwrap_or_default();
    all.iter().filter(|d| d["kind"] != "dev").map(|d| text(&d["name"])).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn sources() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for (name, _) in EDGES {
        collect(&root().join(name), &mut found);
    }
    assert!(found.len() > EDGES.len(), "found hardly any source files");
    found
}

fn collect(directory: &Path, found: &mut Vec<(PathBuf, String)>) {
    let entries = std::fs::read_dir(directory)
        .unwrap_or_else(|error| panic!("{} cannot be read: {error}", directory.display()));
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path)
                .unwrap_or_else(|error| panic!("{} cannot be read: {error}", path.display()));
            found.push((path, text));
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
