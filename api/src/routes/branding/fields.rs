//! What a look is in the API: what is asked for, checked, and what there is.

use adapters::store::Look;
use adapters::templates::logo_path;
use domain::branding::{Colour, Logo, LogoKind, Palette, SupportLink};
use domain::{Branding, NamePolicy, OrganizationId};
use serde::{Deserialize, Serialize};
use url::Url;
use utoipa::ToSchema;

use crate::openapi::texts;
use crate::problem::{ApiError, FieldError};

/// How the organization is to look from now on; a field that is left out is as everybody has it.
#[derive(Default, Deserialize, ToSchema)]
#[schema(as = NewBranding)]
#[serde(default, deny_unknown_fields)]
pub struct Fields {
    /// What it is called on pages; its `name` without it. One line of at most 64 visible characters, and no
    /// link.
    #[schema(value_type = Option<texts::Name>, example = "Acme")]
    pub name: Option<String>,
    /// The colour of buttons and links. Where it could not be read, pages use the nearest colour that can.
    #[schema(pattern = "^#[0-9A-Fa-f]{6}$", example = "#7a1fa2")]
    pub accent: Option<String>,
    /// Where people with a question get an answer, at the foot of each page: a link of `https:`, or
    /// `mailto:` and an address.
    #[schema(
        max_length = 500,
        pattern = "^(https://|mailto:).",
        example = "https://acme.example/help"
    )]
    pub support_url: Option<String>,
}

/// How an organization looks on the pages behind its links.
#[derive(Serialize, ToSchema)]
#[schema(as = Branding)]
pub struct View {
    /// What it is called there; null: its `name`.
    #[schema(example = "Acme")]
    name: Option<String>,
    /// The colour of buttons and links; null: ours.
    #[schema(example = "#7a1fa2")]
    accent: Option<String>,
    /// What becomes of that colour so that it can be read.
    legible_accent: Option<LegibleAccent>,
    /// Where people with a question get an answer.
    #[schema(example = "https://acme.example/help")]
    support_url: Option<String>,
    /// What stands instead of the name at the head of each page.
    logo: Option<LogoView>,
}

/// A colour, as near to an accent as has a contrast of at least 4.5:1 (WCAG 2.2, 1.4.3).
#[derive(Serialize, ToSchema)]
struct LegibleAccent {
    /// By day, on white and what is nearly white.
    #[schema(example = "#7a1fa2")]
    light: String,
    /// By night, on what is nearly black.
    #[schema(example = "#b983ce")]
    dark: String,
}

/// A logo.
#[derive(Serialize, ToSchema)]
#[schema(as = Logo)]
struct LogoView {
    /// Where it is shown; another picture has another address.
    #[schema(
        example = "https://invite.example.com/assets/logo/01937a5c-1b2a-7b1e-8a55-0c1f3a9d7e42/9f86d081884c7d659a2feaa0c55ad015"
    )]
    url: String,
    /// What kind of picture it is.
    media_type: LogoKind,
    /// In pixels.
    #[schema(minimum = 1, maximum = 2048, example = 480)]
    width: u32,
    /// In pixels.
    #[schema(minimum = 1, maximum = 2048, example = 128)]
    height: u32,
    /// How large it is.
    #[schema(minimum = 1, maximum = 32_768, example = 5120)]
    bytes: u32,
}

impl Fields {
    /// The look, or everything that is wrong with it.
    pub fn check(self, names: NamePolicy) -> Result<Look, ApiError> {
        let mut errors = Vec::new();
        let look = Look {
            name: read("name", self.name, |text| names.parse(text), &mut errors),
            accent: read("accent", self.accent, Colour::parse, &mut errors),
            support_url: read("support_url", self.support_url, SupportLink::parse, &mut errors),
        };
        if errors.is_empty() { Ok(look) } else { Err(ApiError::Invalid(errors)) }
    }
}

fn read<T, E: std::fmt::Display>(
    field: &str,
    given: Option<String>,
    parse: impl Fn(&str) -> Result<T, E>,
    errors: &mut Vec<FieldError>,
) -> Option<T> {
    let parsed = parse(&given?);
    parsed.map_err(|error| errors.push(FieldError::new(field, error))).ok()
}

impl View {
    /// Of an organization, whose pages people reach below `home`.
    pub fn new(home: &Url, organization: OrganizationId, branding: &Branding) -> Self {
        let legible = branding.accent.map(Palette::of);
        Self {
            name: branding.name.clone(),
            accent: branding.accent.map(String::from),
            legible_accent: legible.map(|palette| LegibleAccent {
                light: palette.light.accent.to_string(),
                dark: palette.dark.accent.to_string(),
            }),
            support_url: branding.support_url.as_ref().map(|link| link.as_str().to_owned()),
            logo: branding.logo.as_ref().map(|logo| LogoView::new(home, organization, logo)),
        }
    }
}

impl LogoView {
    fn new(home: &Url, organization: OrganizationId, logo: &Logo) -> Self {
        let &Logo { kind, width, height, bytes, .. } = logo;
        let url = format!("{home}assets/{}", logo_path(organization, &logo.hash));
        Self { url, media_type: kind, width, height, bytes }
    }
}

#[cfg(test)]
mod tests {
    use domain::LinkPolicy;

    use super::*;

    #[test]
    fn all_that_is_wrong_is_named_at_once() {
        let policy = NamePolicy { links: LinkPolicy::Refuse };
        let given = |text: &str| Some(text.to_owned());
        let fields = Fields {
            name: given("acme.example"),
            accent: given("red"),
            support_url: given("http://acme.example"),
        };
        let Err(ApiError::Invalid(errors)) = fields.check(policy) else { panic!("it is wrong") };
        let named: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(named, ["name", "accent", "support_url"]);
        assert!(Fields::default().check(policy).is_ok());
    }
}
