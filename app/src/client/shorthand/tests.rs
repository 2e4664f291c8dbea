//! What shorthand means, and that no text makes its reader fail in another way than by an error.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn read(text: &str) -> Result<Value, ShorthandError> {
    let mut body = json!({});
    apply(text, &mut body).map(|()| body)
}

#[test]
fn reads_what_restish_reads() {
    for (text, meant) in [
        ("", json!({})),
        ("{}", json!({})),
        ("email: a@b.co, firstName: Ann", json!({"email": "a@b.co", "firstName": "Ann"})),
        ("jobTitle: Sales / Marketing", json!({"jobTitle": "Sales / Marketing"})),
        ("a: 1, b: -2.5, c: true, d: null", json!({"a": 1, "b": -2.5, "c": true, "d": null})),
        // To the last digit.
        ("a: 2.8219791901755134e200", json!({"a": 2.821_979_190_175_513_4e200_f64})),
        ("a: \"5\", b: \"true\"", json!({"a": "5", "b": "true"})),
        ("a: 007, b: +49 1, c: 1e999", json!({"a": "007", "b": "+49 1", "c": "1e999"})),
        ("a: \"x, \\\"y\\\" \\u00e9\\n\"", json!({"a": "x, \"y\" é\n"})),
        ("a.b: 1, a.c: 2", json!({"a": {"b": 1, "c": 2}})),
        ("a{b: 1, c: 2}", json!({"a": {"b": 1, "c": 2}})),
        ("a: {b.c: 1}", json!({"a": {"b": {"c": 1}}})),
        ("a: [1, two, [3]], b: []", json!({"a": [1, "two", [3]], "b": []})),
        ("a[]: 1, a[]: 2", json!({"a": [1, 2]})),
        ("a[]{b: 1}, a[].b: 2", json!({"a": [{"b": 1}, {"b": 2}]})),
        ("\"a.b\": 1", json!({"a.b": 1})),
        ("a: 1\nb: 2,\n", json!({"a": 1, "b": 2})),
        ("url: http://x/?a=[1]", json!({"url": "http://x/?a=[1]"})),
        ("{url: x}", json!({"url": "x"})),
        ("{\"a\":\n  [1\n, 2]}", json!({"a": [1, 2]})),
        ("a: 1, a: 2", json!({"a": 2})),
        ("a: 1, a.b: 2", json!({"a": {"b": 2}})),
        ("name: Zoë Ω", json!({"name": "Zoë Ω"})),
    ] {
        assert_eq!(read(text), Ok(meant), "{text}");
    }
}

#[test]
fn says_where_it_stopped_reading() {
    for (text, at, problem) in [
        ("email", 6, "a key must be followed by a colon and a value"),
        ("email:", 7, "a value is missing"),
        ("é: , b: 1", 4, "a value is missing"),
        ("a: \"b", 4, "the closing quote is missing"),
        ("a: \"b\" c", 8, "a comma must stand between values"),
        ("a: \"\\q\"", 4, "an escape"),
        ("a: @file", 4, "files (@name) are not supported"),
        ("a[0]: 1", 3, "only [] (append)"),
        ("a: [1", 6, "] is missing"),
        ("a{b: 1", 7, "} is missing"),
        ("{a: 1} b", 8, "nothing may follow"),
        (": 1", 1, "a key is missing"),
        (", a: 1", 1, "a key is missing"),
    ] {
        let error = read(text).unwrap_err();
        assert_eq!(error.at, at, "{text}: {error}");
        assert!(error.problem.contains(problem), "{text}: {error}");
    }
}

#[test]
fn what_is_there_is_kept_replaced_or_added_to() {
    let mut body = json!({"email": "a@b.co", "tags": ["x"], "meta": {"k": 1}});
    apply("email: c@d.co, tags[]: y, meta.l: 2", &mut body).unwrap();
    let merged = json!({"email": "c@d.co", "tags": ["x", "y"], "meta": {"k": 1, "l": 2}});
    assert_eq!(body, merged);
}

#[test]
fn length_and_depth_have_a_limit() {
    assert!(read(&format!("a: {}", "x".repeat(MAX_LENGTH))).is_err());
    for deep in ["a: [", "[", "a{", "a.", "a: {b.c[]: [", "a[][]."] {
        assert!(read(&deep.repeat(MAX_DEPTH * 4)).is_err(), "{deep}");
    }
    let deepest = format!("a: {}1{}", "[".repeat(30), "]".repeat(30));
    assert!(read(&deepest).is_ok());
    assert!(read(&deepest.replace('1', "[1]")).is_err());
}

/// Writes shorthand as a person would: quotes only where they are needed.
fn write(value: &Value) -> String {
    let quoted = |text: &str| Value::from(text).to_string();
    match value {
        Value::String(text) => {
            let plain = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '/' | '-' | ':' | '.');
            let bare = !text.is_empty()
                && text.trim() == text
                && text.chars().all(plain)
                && literal(text.clone()).is_string();
            if bare { text.clone() } else { quoted(text) }
        }
        Value::Array(list) => {
            format!("[{}]", list.iter().map(write).collect::<Vec<_>>().join(", "))
        }
        Value::Object(map) => format!("{{{}}}", fields(map)),
        other => other.to_string(),
    }
}

fn fields(map: &Map<String, Value>) -> String {
    let field = |(key, value): (&String, &Value)| {
        let bare = !key.is_empty() && key.chars().all(char::is_alphanumeric);
        let key = if bare { key.clone() } else { Value::from(key.as_str()).to_string() };
        match value {
            Value::Object(inner) => format!("{key}{{{}}}", fields(inner)),
            value => format!("{key}: {}", write(value)),
        }
    };
    map.iter().map(field).collect::<Vec<_>>().join(", ")
}

fn any_object() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_filter("JSON has no NaN", |f| f.is_finite()).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "[a-z0-9@./ :,-]{0,12}".prop_map(Value::from),
    ];
    let value = leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(".{0,6}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    });
    prop::collection::btree_map("\\PC{0,6}", value, 0..4)
        .prop_map(|map| Value::Object(map.into_iter().collect()))
}

#[test]
fn the_seeds_of_the_fuzzer_pass() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/seeds/shorthand");
    for seed in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(seed.unwrap().path()).unwrap();
        if let Ok(object) = read(&text) {
            assert_eq!(read(&object.to_string()), Ok(object), "{text}");
        }
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC*", brackets in "[\\[\\]{}:,.\"\\\\@a1 \n]{0,60}") {
        let _ = read(&text);
        let _ = read(&brackets);
    }

    #[test]
    fn what_is_written_is_read_back(object in any_object()) {
        let Value::Object(map) = &object else { unreachable!("any_object makes objects") };
        prop_assert_eq!(read(&fields(map)), Ok(object.clone()));
        prop_assert_eq!(read(&write(&object)), Ok(object));
    }

    #[test]
    fn json_is_shorthand(object in any_object()) {
        prop_assert_eq!(read(&object.to_string()), Ok(object.clone()));
        prop_assert_eq!(read(&serde_json::to_string_pretty(&object).unwrap()), Ok(object));
    }
}
