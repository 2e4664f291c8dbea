//! The helpers with which the console shows what is no text: `{{time created_at}}`, `{{words reason}}`,
//! `{{json data}}`.

use chrono::DateTime;
use handlebars::{
    Context, Handlebars, Helper, HelperDef, RenderContext, RenderError, RenderErrorReason,
    ScopedJson,
};
use serde_json::Value;

/// How a value becomes text, which the template then escapes like any variable.
pub(super) struct Shown(fn(&Value) -> String);

/// A moment of RFC 3339, for people.
pub(super) const TIME: Shown =
    Shown(|value| match value.as_str().map(DateTime::parse_from_rfc3339) {
        Some(Ok(at)) => at.format("%-d %b %Y, %H:%M:%S UTC").to_string(),
        _ => NOTHING.to_owned(),
    });

/// A stable word such as `no_such_recipient`, for people.
pub(super) const WORDS: Shown = Shown(|value| match value.as_str() {
    Some(text) => text.replace('_', " "),
    None => NOTHING.to_owned(),
});

/// Whatever it is, in one line; nothing for an empty object.
pub(super) const JSON: Shown = Shown(|value| match value {
    Value::Null => String::new(),
    Value::Object(map) if map.is_empty() => String::new(),
    Value::String(text) => text.clone(),
    other => other.to_string(),
});

const NOTHING: &str = "–";

impl HelperDef for Shown {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let name = helper.name().to_owned();
        let given = helper.param(0).filter(|given| !given.is_value_missing());
        let given = given.ok_or_else(|| RenderErrorReason::MissingVariable(Some(name)))?;
        Ok(ScopedJson::Derived(Value::String((self.0)(given.value()))))
    }
}
