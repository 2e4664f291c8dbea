//! The helpers with which templates show strings of the reader's language: `{{t "mail.subject"}}`, and
//! `{{t_strong …}}`, which emphasizes the names in it.

use std::borrow::Cow;
use std::sync::Arc;

use handlebars::{
    Context, Handlebars, Helper, HelperDef, HelperResult, Output, RenderContext, RenderError,
    RenderErrorReason, ScopedJson, html_escape,
};
use serde_json::Value;

use super::language::{COUNT, Languages, isolated};

/// `t`: the string as text, which the template then escapes or not, like any variable.
pub(super) struct Say(pub Arc<Languages>);

/// `t_strong`, for HTML: the names in the string are bold.
pub(super) struct SayStrong(pub Arc<Languages>);

impl HelperDef for Say {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        context: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let text = say(&self.0, helper, context, str::to_owned, str::to_owned);
        Ok(ScopedJson::Derived(Value::String(text?)))
    }
}

impl HelperDef for SayStrong {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        context: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
        output: &mut dyn Output,
    ) -> HelperResult {
        let strong = |name: &str| format!("<strong>{}</strong>", html_escape(name));
        output.write(&say(&self.0, helper, context, html_escape, strong)?)?;
        Ok(())
    }
}

/// Names are variables of the template, whatever block or layout it is in.
fn say(
    languages: &Languages,
    helper: &Helper<'_>,
    context: &Context,
    words: impl Fn(&str) -> String,
    shown: impl Fn(&str) -> String,
) -> Result<String, RenderError> {
    let other = |reason| RenderError::from(RenderErrorReason::Other(reason));
    let variable = |name: &str| context.data().get(name).filter(|value| !value.is_null());
    let key = helper.param(0).and_then(|key| key.value().as_str());
    let key = key.ok_or_else(|| other("t needs the name of a string in quotes".to_owned()))?;
    let tag = variable("lang").and_then(Value::as_str).unwrap_or_default();
    let language = languages.or_english(tag).map_err(|error| other(error.to_string()))?;
    let message = language.message(key);
    let message = message.ok_or_else(|| other(format!("there is no string {key:?}")))?;
    let count = helper.hash_get(COUNT).and_then(|count| count.value().as_u64());
    let text = message.text(language.tag(), count);
    let text = text.ok_or_else(|| other(format!("{key:?} needs count=…, a whole number")))?;
    text.fill(words, |name| {
        if let (COUNT, Some(count)) = (name, count) {
            return Ok(count.to_string());
        }
        let value = match variable(name) {
            Some(Value::String(text)) => Cow::Borrowed(text.as_str()),
            Some(Value::Number(number)) => number.to_string().into(),
            _ => return Err(RenderErrorReason::MissingVariable(Some(name.to_owned())).into()),
        };
        Ok(shown(&isolated(value, language.direction)))
    })
}
