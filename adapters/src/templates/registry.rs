//! Compiled templates, of all languages or one, in two registries: HTML escapes what it is given, plain
//! text must not (`Tom & Jerry`, not `Tom &amp; Jerry`).

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use handlebars::template::{DecoratorTemplate, TemplateElement};
use handlebars::{Context, Handlebars, RenderContext, Renderable, Template, no_escape};
use serde::Serialize;

use super::TemplateError;
use super::files::File;
use super::language::Languages;
use super::say::{Say, SayStrong};
use super::shown::{JSON, TIME, WORDS};

/// What a layout uses for the content that it surrounds.
const CONTENT: &str = "@partial-block";

/// The texts that are kept: an organization's own templates begin as a copy of them.
const KEPT: &str = "mail/invitation.";

/// The parts of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The subject, plain text.
    Subject,
    /// The HTML part.
    Html,
    /// The plain text part.
    Text,
}

impl Part {
    /// All, in the order of [`Part`].
    pub const ALL: [Self; 3] = [Self::Subject, Self::Html, Self::Text];

    /// The word for it in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Subject => "subject",
            Self::Html => "html",
            Self::Text => "text",
        }
    }
}

/// The compiled templates, of all languages or one.
pub(super) struct Registry {
    html: Handlebars<'static>,
    text: Handlebars<'static>,
    /// Template name → path for error messages.
    shown: BTreeMap<String, String>,
    /// Template name → its text, of the mail alone.
    sources: BTreeMap<String, String>,
}

impl Registry {
    /// Compiles templates, which may show strings of these languages.
    pub fn compile(
        files: BTreeMap<String, File>,
        languages: &Arc<Languages>,
    ) -> Result<Self, TemplateError> {
        let mut registry = Self {
            html: Handlebars::new(),
            text: Handlebars::new(),
            shown: BTreeMap::new(),
            sources: BTreeMap::new(),
        };
        registry.html.set_strict_mode(true);
        registry.text.set_strict_mode(true);
        registry.text.register_escape_fn(no_escape);
        for engine in [&mut registry.html, &mut registry.text] {
            engine.register_helper("t", Box::new(Say(Arc::clone(languages))));
        }
        let strong = SayStrong(Arc::clone(languages));
        registry.html.register_helper("t_strong", Box::new(strong));
        for (name, shown) in [("time", TIME), ("words", WORDS), ("json", JSON)] {
            registry.html.register_helper(name, Box::new(shown));
        }
        let mut includes = BTreeMap::new();
        for (name, file) in files {
            let template = Template::compile_with_name(&file.text, name.clone())
                .map_err(|error| TemplateError::compile(file.shown.clone(), &error))?;
            let names = included(&template).map_err(|reason| TemplateError::Partial {
                file: file.shown.clone(),
                reason: reason.to_owned(),
            })?;
            includes.insert(name.clone(), names);
            registry.shown.insert(name.clone(), file.shown);
            if name.starts_with(KEPT) {
                registry.sources.insert(name.clone(), file.text);
            }
            registry.engine_mut(&name).register_template(&name, template);
        }
        registry.check_includes(&includes)?;
        Ok(registry)
    }

    /// Renders one template; a variable that the context does not have is an error.
    pub fn render(&self, name: &str, context: &impl Serialize) -> Result<String, TemplateError> {
        self.render_with(name, &self.given(name, context)?)
    }

    /// What templates are given, read once for all of them; `name` is the first.
    pub fn given(&self, name: &str, context: &impl Serialize) -> Result<Context, TemplateError> {
        Context::wraps(context).map_err(|error| {
            TemplateError::render(&error, |inner| self.shown(inner.unwrap_or(name)))
        })
    }

    /// The same as [`Self::render`] with what several templates are given.
    pub fn render_with(&self, name: &str, context: &Context) -> Result<String, TemplateError> {
        let engine = if is_html(name) { &self.html } else { &self.text };
        // The engine has panicked on odd templates before (handlebars-rust #766); a worker must
        // then fail one delivery and not a whole task.
        let rendered = catch_unwind(AssertUnwindSafe(|| engine.render_with_context(name, context)))
            .map_err(|_| TemplateError::Panicked { file: self.shown(name) })?;
        rendered.map_err(|error| {
            TemplateError::render(&error, |inner| self.shown(inner.unwrap_or(name)))
        })
    }

    /// Renders a template that is not one of these, with what these have: helpers and layouts. The
    /// error is where it is wrong, and what.
    pub fn render_compiled(
        &self,
        part: Part,
        template: &Template,
        context: &impl Serialize,
    ) -> Result<String, (Option<(usize, usize)>, String)> {
        let engine = if part == Part::Html { &self.html } else { &self.text };
        let rendered = catch_unwind(AssertUnwindSafe(|| {
            let context = Context::wraps(context)?;
            template.renders(engine, &context, &mut RenderContext::new(None))
        }));
        match rendered {
            Ok(rendered) => rendered.map_err(|error| super::error::place(&error)),
            Err(_) => Err((None, "the template engine failed".to_owned())),
        }
    }

    /// The text of a template of the mail.
    pub fn source(&self, name: &str) -> &str {
        self.sources.get(name).map_or("", String::as_str)
    }

    /// The path that errors show for a template.
    pub fn shown(&self, name: &str) -> String {
        self.shown.get(name).map_or_else(|| name.to_owned(), Clone::clone)
    }

    fn engine_mut(&mut self, name: &str) -> &mut Handlebars<'static> {
        if is_html(name) { &mut self.html } else { &mut self.text }
    }

    /// Templates that include each other in a circle overflow the stack, which ends the process
    /// without a word; so circles are found before anything is rendered.
    fn check_includes(
        &self,
        includes: &BTreeMap<String, Vec<String>>,
    ) -> Result<(), TemplateError> {
        for (name, included) in includes {
            let wrong = |reason| Err(TemplateError::Partial { file: self.shown(name), reason });
            for inner in included {
                let same_kind = is_html(inner) == is_html(name);
                let is_layout = name.contains("layout");
                match inner.as_str() {
                    CONTENT if is_layout => {}
                    CONTENT => {
                        return wrong("only a layout may include @partial-block".to_owned());
                    }
                    _ if !includes.contains_key(inner) || !same_kind => {
                        return wrong(format!("includes {inner:?}, which does not exist"));
                    }
                    _ if reaches(includes, inner, name, includes.len()) => {
                        return wrong(format!("includes itself through {inner:?}"));
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }
}

fn is_html(name: &str) -> bool {
    name.strip_suffix(".html").is_some()
}

fn reaches(
    includes: &BTreeMap<String, Vec<String>>,
    from: &str,
    goal: &str,
    steps_left: usize,
) -> bool {
    from == goal
        || (steps_left > 0
            && includes.get(from).is_some_and(|inner| {
                inner.iter().any(|next| reaches(includes, next, goal, steps_left - 1))
            }))
}

/// The names of all templates that a template includes, at any depth of its blocks.
fn included(template: &Template) -> Result<Vec<String>, &'static str> {
    let mut names = Vec::new();
    collect(template, &mut names)?;
    Ok(names)
}

fn collect(template: &Template, names: &mut Vec<String>) -> Result<(), &'static str> {
    for element in &template.elements {
        match element {
            TemplateElement::PartialExpression(partial)
            | TemplateElement::PartialBlock(partial) => {
                collect_partial(partial, names)?;
            }
            TemplateElement::HelperBlock(block)
            | TemplateElement::Expression(block)
            | TemplateElement::HtmlExpression(block) => {
                for inner in [&block.template, &block.inverse].into_iter().flatten() {
                    collect(inner, names)?;
                }
            }
            TemplateElement::DecoratorExpression(_) | TemplateElement::DecoratorBlock(_) => {
                return Err("inline partials and decorators are not supported");
            }
            TemplateElement::RawString(_) | TemplateElement::Comment(_) => {}
            _ => return Err("has an element of an unknown kind"),
        }
    }
    Ok(())
}

fn collect_partial(
    partial: &DecoratorTemplate,
    names: &mut Vec<String>,
) -> Result<(), &'static str> {
    let name = partial.name.as_name().ok_or("includes a template whose name is computed")?;
    names.push(name.to_owned());
    partial.template.as_ref().map_or(Ok(()), |inner| collect(inner, names))
}
