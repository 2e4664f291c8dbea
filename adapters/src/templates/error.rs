//! What can be wrong with a template, said so that the one who wrote it can mend it.

use std::path::PathBuf;

use handlebars::{RenderError, RenderErrorReason, TemplateErrorReason};

/// Why templates could not be loaded or rendered.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// The override folder or a file in it cannot be read.
    #[error("cannot read the templates in {path}: {source}", path = path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// A file in the override folder replaces nothing; most likely its name is misspelt.
    #[error("{file} is not the name of a template; templates/README.md lists them all")]
    Unknown {
        /// The file.
        file: String,
    },
    /// A template does not compile or render.
    #[error("{file}, line {line}, column {column}: {reason}")]
    Broken {
        /// The file.
        file: String,
        /// Counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
        /// What is wrong there.
        reason: String,
    },
    /// A template includes what it must not include.
    #[error("{file}: {reason}")]
    Partial {
        /// The file.
        file: String,
        /// What it includes and why that is wrong.
        reason: String,
    },
    /// A mail that cannot do its work.
    #[error("{file} does not show {variable}; without it nobody can accept the invitation")]
    Useless {
        /// The file.
        file: String,
        /// What is missing.
        variable: &'static str,
    },
    /// The template engine panicked; a bug there, contained here.
    #[error("{file}: the template engine failed")]
    Panicked {
        /// The file.
        file: String,
    },
    /// A link that is not http or https must not get into an `href`.
    #[error("accept_url is not an http or https URL")]
    UnsafeUrl,
    /// A file of strings that does not say what it should.
    #[error("{file}: {reason}")]
    Language {
        /// The file.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Not even English is there.
    #[error("the strings in English are missing")]
    NoLocale,
}

impl TemplateError {
    /// A compile error, without the dump of the grammar that the engine appends.
    pub(super) fn compile(file: String, error: &handlebars::TemplateError) -> Self {
        let (at, reason) = syntax(error);
        let (line, column) = at.unwrap_or((1, 1));
        Self::Broken { file, line, column, reason }
    }

    /// A render error, in the file that `shown` knows for the template's name.
    pub(super) fn render(error: &RenderError, shown: impl Fn(Option<&str>) -> String) -> Self {
        let (at, reason) = place(error);
        let (line, column) = at.unwrap_or((1, 1));
        Self::Broken { file: shown(error.template_name.as_deref()), line, column, reason }
    }
}

/// Where a text stops being a template, and why.
pub(super) fn syntax(error: &handlebars::TemplateError) -> (Option<(usize, usize)>, String) {
    let reason = match error.reason() {
        TemplateErrorReason::InvalidSyntax(_) => {
            "invalid handlebars syntax; is a {{…}} or a block left open?".to_owned()
        }
        other => other.to_string(),
    };
    (error.pos(), reason)
}

/// Where a template cannot be rendered, and why.
pub(super) fn place(error: &RenderError) -> (Option<(usize, usize)>, String) {
    let reason = match error.reason() {
        RenderErrorReason::MissingVariable(Some(name)) => {
            format!("there is no variable {name:?} here")
        }
        other => other.to_string(),
    };
    (error.line_no.zip(error.column_no), reason)
}
