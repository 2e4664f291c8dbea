//! What stands between the braces of an organization's template, held to a list: variables, strings,
//! conditions and our layout.

use handlebars::Template;
use handlebars::template::{
    DecoratorTemplate, HelperTemplate, Parameter, Subexpression, TemplateElement,
};
use serde_json::Value;

use super::super::mail::LAYOUT;
use super::super::registry::Part;

type Place = (usize, usize);
type Checked = Result<(), String>;

/// All variables that a mail has.
pub const VARIABLES: [&str; 12] = [
    "organization",
    "inviter",
    "first_name",
    "role",
    "accept_url",
    "temporary_password",
    "expires_at",
    "password_valid_hours",
    "support",
    "kind",
    "lang",
    "dir",
];

/// What can be asked in a condition.
const QUESTIONS: [&str; 5] = ["eq", "ne", "and", "or", "not"];

/// Refuses whatever is not on the list; says where it stands.
pub(super) fn check(part: Part, template: &Template) -> Result<(), (Place, String)> {
    let mut layouts = 0;
    walk(part, template, &mut layouts)
}

fn walk(part: Part, template: &Template, layouts: &mut u32) -> Result<(), (Place, String)> {
    for (at, element) in template.elements.iter().enumerate() {
        let place = template.mapping.get(at).map_or((1, 1), |at| (at.0, at.1));
        let inner = match element {
            TemplateElement::RawString(_) | TemplateElement::Comment(_) => Ok([None, None]),
            TemplateElement::Expression(shown) => expression(part, shown).map(|()| [None, None]),
            TemplateElement::HtmlExpression(_) => {
                Err("shows a value without escaping it; write {{…}}".to_owned())
            }
            TemplateElement::HelperBlock(block) => {
                condition(block).map(|()| [block.template.as_ref(), block.inverse.as_ref()])
            }
            TemplateElement::PartialBlock(layout) => {
                *layouts += 1;
                surrounds(part, layout, *layouts).map(|()| [layout.template.as_ref(), None])
            }
            TemplateElement::PartialExpression(_) => Err(only_the_layout()),
            _ => Err("decorators and inline partials are not supported".to_owned()),
        };
        for inner in inner.map_err(|reason| (place, reason))?.into_iter().flatten() {
            walk(part, inner, layouts)?;
        }
    }
    Ok(())
}

fn expression(part: Part, shown: &HelperTemplate) -> Checked {
    let name = shown.name.as_name().ok_or_else(|| "a name is computed".to_owned())?;
    if shown.params.is_empty() && shown.hash.is_empty() {
        return variable(name);
    }
    match name {
        "t" => string(shown),
        "t_strong" if part == Part::Html => string(shown),
        "t_strong" => Err("t_strong is for the HTML part; write t".to_owned()),
        other => {
            Err(format!("there is no helper {other:?} here; there are t, t_strong, if and unless"))
        }
    }
}

/// `{{t "mail.hello"}}`, perhaps with a count.
fn string(shown: &HelperTemplate) -> Checked {
    match shown.params.as_slice() {
        [Parameter::Literal(Value::String(_))] => {}
        _ => return Err("t needs the name of one string in quotes".to_owned()),
    }
    match shown.hash.iter().next() {
        None => Ok(()),
        Some((name, value)) if name == "count" && shown.hash.len() == 1 => parameter(value),
        Some(_) => Err("t takes nothing but count=…".to_owned()),
    }
}

fn condition(block: &HelperTemplate) -> Checked {
    let name = block.name.as_name().unwrap_or_default();
    if !matches!(name, "if" | "unless") {
        return Err(format!("there is no block {name:?} here; there are if and unless"));
    }
    match block.params.as_slice() {
        [asked] if block.hash.is_empty() && block.block_param.is_none() => parameter(asked),
        _ => Err(format!("{name} takes one condition and nothing else")),
    }
}

fn surrounds(part: Part, layout: &DecoratorTemplate, layouts: u32) -> Checked {
    let ours = layout.name.as_name() == Some(LAYOUT) && part == Part::Html;
    if !ours || !layout.params.is_empty() || !layout.hash.is_empty() {
        return Err(only_the_layout());
    }
    if layouts > 1 {
        return Err(format!("{LAYOUT} can surround a mail once"));
    }
    Ok(())
}

fn only_the_layout() -> String {
    format!("nothing can be included; the HTML part may stand inside {{{{#> {LAYOUT}}}}}")
}

fn parameter(parameter: &Parameter) -> Checked {
    match parameter {
        Parameter::Literal(Value::Array(_) | Value::Object(_)) => {
            Err("lists and objects are not supported".to_owned())
        }
        Parameter::Literal(_) => Ok(()),
        Parameter::Name(name) => variable(name),
        Parameter::Path(_) => variable(parameter.as_name().unwrap_or_default()),
        Parameter::Subexpression(asked) => question(asked),
        _ => Err("has a parameter of an unknown kind".to_owned()),
    }
}

fn question(asked: &Subexpression) -> Checked {
    let TemplateElement::Expression(asked) = asked.as_element() else {
        return Err("asks what is not supported".to_owned());
    };
    let name = asked.name.as_name().unwrap_or_default();
    if !QUESTIONS.contains(&name) || !asked.hash.is_empty() {
        let known = QUESTIONS.join(", ");
        return Err(format!("there is no question {name:?} here; there are {known}"));
    }
    asked.params.iter().try_for_each(parameter)
}

fn variable(name: &str) -> Checked {
    if VARIABLES.contains(&name) {
        return Ok(());
    }
    let known = VARIABLES.join(", ");
    Err(format!("there is no variable {name:?} here; there are {known}"))
}
