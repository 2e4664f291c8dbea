//! Any command line in shorthand is an object, or an error that says where.
#![no_main]

#[path = "../../app/src/client/shorthand.rs"]
mod shorthand;

use serde_json::Value;

libfuzzer_sys::fuzz_target!(|text: &str| {
    let mut body = Value::Null;
    if shorthand::apply(text, &mut body).is_ok() {
        // What it means can be written as JSON, which is shorthand too.
        let mut again = Value::Null;
        let read = shorthand::apply(&body.to_string(), &mut again);
        assert!(read.is_err() && body.to_string().len() > 32 * 1024 || again == body, "{body}");
    }
});
