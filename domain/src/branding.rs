//! How an organization looks on the pages behind its links: name, accent colour, logo, whom to ask.

mod colour;
mod logo;
mod logo_header;
mod palette;
mod support_link;

use serde::{Deserialize, Serialize};

pub use colour::{Colour, ColourError};
pub use logo::{Logo, LogoError, LogoKind};
pub use palette::{Palette, Shades};
pub use support_link::{SupportLink, SupportLinkError};

/// How an organization looks. Without any of it, pages show its name as it is known here, in our colours.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Branding {
    /// What it is called on pages, as a [`crate::Name`] has it; its name as it is known here if none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What colour buttons and links have, as far as they stay legible: see [`Palette`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accent: Option<Colour>,
    /// Whom to ask.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub support_url: Option<SupportLink>,
    /// What is known of the logo; its bytes are kept elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo: Option<Logo>,
}
