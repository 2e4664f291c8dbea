//! What a page shows of the organization that it is about.

use domain::branding::{Colour, SupportLink};
use domain::{Branding, OrganizationId};
use serde::Serialize;

/// The room that a logo has, in CSS pixels.
const MOST_WIDE: u32 = 256;
const MOST_HIGH: u32 = 64;

/// How the organization looks.
#[derive(Clone, Serialize)]
pub struct PageBrand<'a> {
    name: &'a str,
    /// What the stylesheet with its colours is called: `/assets/accent/{accent}.css`.
    accent: Option<String>,
    logo: Option<PageLogo>,
    support_url: Option<&'a str>,
    #[serde(skip)]
    pub(super) support: Option<&'a str>,
}

/// A picture below `/assets`.
#[derive(Clone, Serialize)]
struct PageLogo {
    path: String,
    width: u32,
    height: u32,
}

impl<'a> PageBrand<'a> {
    /// What pages of the organization show, which is called so there.
    pub fn new(organization: OrganizationId, name: &'a str, branding: &'a Branding) -> Self {
        let support = branding.support_url.as_ref();
        let logo = branding.logo.as_ref().map(|logo| {
            let (width, height) = fitted(logo.width, logo.height);
            PageLogo { path: logo_path(organization, &logo.hash), width, height }
        });
        Self {
            name,
            accent: branding.accent.map(Colour::digits),
            logo,
            support_url: support.map(SupportLink::as_str),
            support: support.map(SupportLink::shown),
        }
    }

    /// One with everything, for trying templates.
    pub(super) fn sample(name: &'a str) -> Self {
        Self {
            name,
            accent: Some("0b6a5f".to_owned()),
            logo: Some(PageLogo { path: "logo/sample".to_owned(), width: 120, height: 40 }),
            support_url: Some("https://example.com/help"),
            support: Some("example.com"),
        }
    }
}

/// The size at which a picture is shown: as large as it is, if there is room, and never out of shape.
fn fitted(width: u32, height: u32) -> (u32, u32) {
    let (mut wide, mut high) = (width, height);
    if wide > MOST_WIDE {
        (wide, high) = (MOST_WIDE, high * MOST_WIDE / wide);
    }
    if high > MOST_HIGH {
        (wide, high) = (wide * MOST_HIGH / high, MOST_HIGH);
    }
    (wide.max(1), high.max(1))
}

/// Where a logo is served, below `/assets/`. Its hash is in it, so that what is there never changes.
pub fn logo_path(organization: OrganizationId, hash: &str) -> String {
    format!("logo/{organization}/{hash}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logo_keeps_its_shape() {
        for (size, shown) in [
            ((120, 40), (120, 40)),
            ((512, 128), (256, 64)),
            ((2048, 16), (256, 2)),
            ((16, 2048), (1, 64)),
            ((2048, 1), (256, 1)),
            ((600, 600), (64, 64)),
        ] {
            assert_eq!(fitted(size.0, size.1), shown, "{size:?}");
        }
    }
}
