//! The tables: every body that is refused, with what is said of it, and every one that is taken.

use serde_json::{Map, Value, json};

use crate::contracts::{Case, case};

const EXAMPLE: &str = "Send {\"emailAddresses\": [{\"email\": \"ann@example.com\"}]}.";
/// What the page's code samples send: the schema of the body in place of a body.
pub const SAMPLE: &str = r#"{
"type": "object",
"properties": {
"emailAddresses": {
"type": "array",
"items": {
"type": "object",
"properties": {
"email": {
"type": "string",
"description": "The email address of the user to invite"
},
"password": {
"type": "string",
"description": "The password for the new user, must contain at least one uppercase letter, one lowercase letter, one number, one special character, and be at least 8 characters long"
}
}
}
}
}
}"#;

/// Bodies that are no list of entries.
pub fn wrong_bodies() -> Vec<Case> {
    let deep = format!("{{\"emailAddresses\": {}1{}}}", "[".repeat(500), "]".repeat(500));
    let refused = |what, body: &str, error: &str| {
        let error = format!("{error} {EXAMPLE}");
        case(what, body, 400, [("/error", error.into())])
    };
    let malformed = |what, body: &str, at: &str| {
        let error = format!("The body is not valid JSON: {at}.");
        case(what, body, 400, [("/error", error.into())])
    };
    let (no_object, no_list) =
        ("The body must be a JSON object.", "emailAddresses must be a list of objects.");
    let (missing, schema) = (
        "emailAddresses is missing.",
        "The body is the JSON schema of a request, and has no emailAddresses itself.",
    );
    vec![
        refused("nothing", "", "The body is empty."),
        malformed("no JSON", "{\"a\": nope}", "line 1, column 8"),
        malformed("cut off", "{\"emailAddresses\": [{\"em", "line 1, column 24"),
        malformed("two bodies", "{} {}", "line 1, column 4"),
        malformed("not a number", "{\"a\": NaN}", "line 1, column 7"),
        malformed("half a surrogate", "{\"a\": \"\\ud800\"}", "line 1, column 14"),
        malformed("very deep", &deep, "line 1, column 146"),
        refused("null", "null", no_object),
        refused("a bare list", "[{\"email\": \"ann@example.com\"}]", no_object),
        refused("a text", "\"ann@example.com\"", no_object),
        refused("an empty object", "{}", missing),
        refused("the page's own sample", SAMPLE, schema),
        refused("another case", "{\"emailaddresses\": [{\"email\": \"a@example.com\"}]}", missing),
        refused("null in place of a list", "{\"emailAddresses\": null}", no_list),
        refused("one address in place of a list", "{\"emailAddresses\": \"a@b.example\"}", no_list),
        refused("an object in place of a list", "{\"emailAddresses\": {\"0\": {}}}", no_list),
        refused(
            "an empty list",
            "{\"emailAddresses\": []}",
            "emailAddresses is empty; name at least one address.",
        ),
        refused(
            "the last of two lists counts",
            "{\"emailAddresses\": [{\"email\": \"a@example.com\"}], \"emailAddresses\": 1}",
            no_list,
        ),
    ]
}

fn list(entries: Vec<Value>) -> Value {
    Value::Object(Map::from_iter([("emailAddresses".to_owned(), Value::Array(entries))]))
}

/// One entry that is wrong, and how.
fn entry(what: &'static str, entry: Value, code: &str) -> Case {
    let email = match &entry["email"] {
        Value::String(text) if text.chars().count() <= 254 => text.as_str().into(),
        _ => Value::Null,
    };
    let error = "Nobody was invited: 1 problem, see details.";
    case(
        what,
        list(vec![json!({"email": "good@example.com"}), entry]),
        400,
        [
            ("/error", error.into()),
            ("/details/0/index", 1.into()),
            ("/details/0/email", email),
            ("/details/0/code", code.into()),
        ],
    )
}

/// Entries that are wrong by their address.
pub fn wrong_addresses() -> Vec<Case> {
    let email = |what, given: Value, code| entry(what, json!({ "email": given }), code);
    let (object, kind, invalid) = ("not_an_object", "wrong_type", "invalid_email");
    vec![
        entry("a text is no entry", "ann@example.com".into(), object),
        entry("a number is no entry", 5.into(), object),
        entry("null is no entry", Value::Null, object),
        entry("a list is no entry", json!([{"email": "ann@example.com"}]), object),
        entry("no address", json!({}), "missing_email"),
        entry("another case", json!({"Email": "ann@example.com"}), "missing_email"),
        email("null", Value::Null, "missing_email"),
        email("a number", 5.into(), kind),
        email("a boolean", true.into(), kind),
        email("a list of addresses", json!(["ann@example.com"]), kind),
        email("an object", json!({"address": "ann@example.com"}), kind),
        email("an empty text", "".into(), invalid),
        email("a blank text", " \t".into(), invalid),
        email("no @", "ann.example.com".into(), invalid),
        email("two @", "a@b@example.com".into(), invalid),
        email("nothing before the @", "@example.com".into(), invalid),
        email("no full domain", "ann@localhost".into(), invalid),
        email("a name and brackets", "Ann <ann@example.com>".into(), invalid),
        email("two addresses", "ann@example.com,bob@example.com".into(), invalid),
        email("a line break", "ann@example.com\r\nBcc: bob@example.com".into(), invalid),
        email("no ASCII before the @", "änn@example.com".into(), invalid),
        email("a long one", format!("{}@example.com", "a".repeat(65)).into(), invalid),
        email("one too long to show", format!("{}@example.com", "a".repeat(300)).into(), invalid),
    ]
}

/// Entries that are wrong by their password.
pub fn wrong_passwords() -> Vec<Case> {
    let password = |what, given: Value, code| {
        entry(what, json!({"email": "ann@example.com", "password": given}), code)
    };
    let (kind, weak) = ("wrong_type", "weak_password");
    vec![
        password("a number", 12_345_678.into(), kind),
        password("a boolean", false.into(), kind),
        password("a list", json!(["Correct-Horse-7"]), kind),
        password("an object", json!({}), kind),
        password("an empty text", "".into(), weak),
        password("seven characters", "Abcde1!".into(), weak),
        password("seven characters of many bytes", "Ää1!€€€".into(), weak),
        password("no upper-case letter", "correct-horse-7".into(), weak),
        password("no lower-case letter", "CORRECT-HORSE-7".into(), weak),
        password("no digit", "Correct-Horse".into(), weak),
        password("nothing special", "CorrectHorse7".into(), weak),
        password("a space is not special", "Correct Horse 7".into(), weak),
        password("a control character is not special", "Correct\u{7}Horse7".into(), weak),
        password("a letter of ours is not special", "CörrectHorse7".into(), weak),
        password("129 characters", format!("A1!{}", "a".repeat(126)).into(), "password_too_long"),
    ]
}

/// One entry that is taken, and what is said of it.
fn taken(what: &'static str, entry: Value, email: &str) -> Case {
    case(
        what,
        list(vec![entry]),
        200,
        [
            ("/results/0/index", 0.into()),
            ("/results/0/email", email.into()),
            ("/results/0/status", "invited".into()),
        ],
    )
}

/// Bodies that are taken although they are unusual.
pub fn lax_bodies() -> Vec<Case> {
    let mut number = 0;
    let mut password = |what, given: String| {
        number += 1;
        let email = format!("p{number}@example.com");
        taken(what, json!({"email": email, "password": given}), &email)
    };
    let mut cases = vec![
        password("8 characters", "Abcde1!x".to_owned()),
        password("128 characters", format!("A1!{}", "a".repeat(125))),
        password("letters of ours", "Ünïcöd1!".to_owned()),
        password("a digit of theirs", "Abcdefg٣!".to_owned()),
        password("spaces inside and around", " Correct Horse 7! ".to_owned()),
        password("something special that is no ASCII", "Abcdefg1€".to_owned()),
    ];
    let a = |email: &str| json!({ "email": email });
    cases.extend([
        taken(
            "null is no password",
            json!({"email": "a@example.com", "password": null}),
            "a@example.com",
        ),
        taken(
            "unknown keys",
            json!({"email": "b@example.com", "role": 1, "x": {}}),
            "b@example.com",
        ),
        taken("spaces and case", a(" Cee@Example.COM "), "Cee@Example.COM"),
        taken("a domain of many letters", a("d@bücher.example"), "d@bücher.example"),
        taken("a plus", a("e+tag@example.com"), "e+tag@example.com"),
    ]);
    let raw = [
        (
            "the last of two addresses",
            r#"{"emailAddresses": [{"email": "nope", "email": "f@example.com"}]}"#,
            "f@example.com",
        ),
        (
            "the last of two passwords",
            r#"{"emailAddresses": [{"email": "g@example.com", "password": "weak", "password": null}]}"#,
            "g@example.com",
        ),
        (
            "the last of two lists",
            r#"{"emailAddresses": 1, "emailAddresses": [{"email": "h@example.com"}]}"#,
            "h@example.com",
        ),
        (
            "a key that is written in another way",
            r#"{"\u0065mailAddresses": [{"email": "i\u0040example.com"}]}"#,
            "i@example.com",
        ),
        (
            "keys that the schema has beside the list",
            r#"{"type": "object", "properties": {}, "emailAddresses": [{"email": "j@example.com"}]}"#,
            "j@example.com",
        ),
    ];
    cases.extend(raw.map(|(what, body, email)| {
        let has = [("/results/0/email", email.into()), ("/results/0/status", "invited".into())];
        case(what, body, 200, has)
    }));
    cases
}
