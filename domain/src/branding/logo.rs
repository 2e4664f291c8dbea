//! A logo: which pictures are taken, and what is known of one.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use utoipa::ToSchema;

use super::logo_header::{self, Header};

/// What is known of a logo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logo {
    /// The first half of the SHA-256 of its bytes, in hexadecimal: names these bytes and no others.
    pub hash: String,
    /// What kind of picture it is.
    pub kind: LogoKind,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// How large it is.
    pub bytes: u32,
}

/// The kinds of pictures that every browser shows and that can hold no script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub enum LogoKind {
    /// PNG.
    #[serde(rename = "image/png")]
    Png,
    /// JPEG.
    #[serde(rename = "image/jpeg")]
    Jpeg,
    /// WebP.
    #[serde(rename = "image/webp")]
    WebP,
    /// GIF.
    #[serde(rename = "image/gif")]
    Gif,
}

/// Why bytes are no logo. Shown to the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LogoError {
    /// More than [`Logo::MOST_BYTES`].
    #[error("has more than 32768 bytes; make it smaller")]
    TooLarge,
    /// None of the kinds that are taken.
    #[error("must be a PNG, JPEG, WebP or GIF image; SVG is not taken, for it can hold scripts")]
    Kind,
    /// It begins like one of them and does not go on.
    #[error("is not a whole image; export it again")]
    Broken,
    /// No pixels, or more than [`Logo::MOST_PIXELS`] in a row or column.
    #[error("must be 1 to 2048 pixels wide and high")]
    Pixels,
    /// It moves, and nobody could stop it (WCAG 2.2, success criterion 2.2.2).
    #[error("must not be animated")]
    Animated,
}

impl Logo {
    /// The most bytes of a logo.
    pub const MOST_BYTES: usize = 32 * 1024;
    /// The most pixels in a row or column of a logo.
    pub const MOST_PIXELS: u32 = 2048;

    /// Looks at the head of a picture; what is behind it is left to the browser.
    pub fn read(bytes: &[u8]) -> Result<Self, LogoError> {
        if bytes.len() > Self::MOST_BYTES {
            return Err(LogoError::TooLarge);
        }
        let Header { kind, width, height, moves } = logo_header::read(bytes)?;
        if moves {
            return Err(LogoError::Animated);
        }
        let fits = |side: u32| (1..=Self::MOST_PIXELS).contains(&side);
        if !fits(width) || !fits(height) {
            return Err(LogoError::Pixels);
        }
        let digest: [u8; 32] = Sha256::digest(bytes).into();
        let half = digest.iter().take(16);
        let hash = half.fold(0_u128, |hash, byte| hash << 8 | u128::from(*byte));
        let size = u32::try_from(bytes.len()).map_err(|_| LogoError::TooLarge)?;
        Ok(Self { hash: format!("{hash:032x}"), kind, width, height, bytes: size })
    }
}

impl LogoKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Png, Self::Jpeg, Self::WebP, Self::Gif];

    /// The media type (RFC 6838), which is also the word in the database.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::WebP => "image/webp",
            Self::Gif => "image/gif",
        }
    }

    /// The kind with that media type.
    pub fn parse(media_type: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.media_type() == media_type)
    }
}
