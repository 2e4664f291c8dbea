//! What a request may say a template is, and whether it makes a good mail.

use adapters::templates::{SIZES, TemplateFault, TemplateSource, Templates};
use serde::Deserialize;
use tokio::task::spawn_blocking;
use utoipa::ToSchema;

use crate::json::{self, RawBody};
use crate::problem::{ApiError, FieldError};

/// Room for a text in which each character is written as two.
const BODY: usize = 2 * (SIZES[0] + SIZES[1] + SIZES[2]);

/// A template to be saved, or tried.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = NewTemplate)]
#[serde(deny_unknown_fields)]
pub struct Fields {
    /// The subject, at most 1024 bytes.
    #[schema(value_type = String, required, example = "{{organization}} invites you")]
    pub subject: Option<String>,
    /// The HTML part, at most 98,304 bytes; it must show `{{accept_url}}`.
    #[schema(
        value_type = String, required,
        example = "<p><a href=\"{{accept_url}}\">Join {{organization}}</a></p>",
    )]
    pub html: Option<String>,
    /// The plain text part, at most 32,768 bytes; it must show `{{accept_url}}`.
    #[schema(value_type = String, required, example = "Join {{organization}}: {{accept_url}}")]
    pub text: Option<String>,
}

impl Fields {
    /// The text that is given. What is left out is empty, which no part may be.
    pub fn source(self) -> TemplateSource {
        // Browsers send the line ends of another century.
        let part = |given: Option<String>| given.unwrap_or_default().replace("\r\n", "\n");
        TemplateSource { subject: part(self.subject), html: part(self.html), text: part(self.text) }
    }
}

/// Reads a body that may be as long as a template.
pub async fn body<T: serde::de::DeserializeOwned>(body: RawBody) -> Result<T, ApiError> {
    json::parse(&body.read_up_to(BODY).await?)
}

/// Refuses a template that would not make a good mail for readers of this language.
pub async fn check(
    templates: &Templates,
    locale: &str,
    source: TemplateSource,
) -> Result<TemplateSource, ApiError> {
    let (templates, locale) = (templates.clone(), locale.to_owned());
    // It is rendered many times.
    let checked =
        spawn_blocking(move || templates.check_own(&locale, &source).map(|_| source)).await;
    checked.map_err(|_| ApiError::Internal)?.map_err(|faults| refused(&faults))
}

/// All that is wrong, by the parts.
pub fn refused(faults: &[TemplateFault]) -> ApiError {
    let field = |fault: &TemplateFault| FieldError::new(fault.part.as_str(), fault);
    ApiError::TemplateInvalid(faults.iter().map(field).collect())
}
