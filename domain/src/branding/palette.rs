//! The colours that pages use for an accent: as near to it as can be read, by day and by night.
//!
//! Whoever chooses an accent thinks of a logo, not of text: yellow links on white could not be read by
//! most, and dark blue ones on black by nobody. So the accent is mixed with black or white, step by step,
//! until everything that has it stands out enough for text (WCAG 2.2, success criterion 1.4.3).

use super::Colour;

/// What pages use, by the colour scheme of the reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Palette {
    /// By day.
    pub light: Shades,
    /// By night.
    pub dark: Shades,
}

/// The colours of one scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shades {
    /// Of links, buttons and whatever has the focus.
    pub accent: Colour,
    /// Of links and buttons under a pointer.
    pub accent_deep: Colour,
    /// Of the words on buttons.
    pub on_accent: Colour,
    /// Behind signs that have the accent.
    pub mark: Colour,
}

/// What the colours of a scheme stand on.
struct Ground {
    /// `--page`, `--sunk` and `--card` of `templates/pages.css`.
    behind: [Colour; 3],
    /// What makes an accent stand out more.
    away: Colour,
    /// How much of the accent is in the mark, in percent.
    mark: u8,
}

const LIGHT: Ground = Ground {
    behind: [Colour::new(0xf4, 0xf3, 0xef), Colour::new(0xf8, 0xf7, 0xf4), Colour::WHITE],
    away: Colour::BLACK,
    mark: 12,
};
const DARK: Ground = Ground {
    behind: [
        Colour::new(0x12, 0x17, 0x1b),
        Colour::new(0x12, 0x17, 0x1b),
        Colour::new(0x1b, 0x23, 0x29),
    ],
    away: Colour::WHITE,
    mark: 20,
};
/// How much further a colour goes under a pointer, in percent.
const DEEPER: u8 = 25;

impl Palette {
    /// The least contrast between text and what is behind it (WCAG 2.2, 1.4.3, level AA).
    pub const LEAST_CONTRAST: f64 = 4.5;

    /// The nearest to the accent that can be read.
    pub fn of(accent: Colour) -> Self {
        Self { light: LIGHT.shades(accent), dark: DARK.shades(accent) }
    }

    /// The same as CSS: what goes over the custom properties of `templates/pages.css`.
    pub fn stylesheet(&self) -> String {
        format!(
            ":root {{ {} }}\n@media (prefers-color-scheme: dark) {{ :root {{ {} }} }}\n",
            self.light.properties(),
            self.dark.properties(),
        )
    }
}

impl Shades {
    fn properties(&self) -> String {
        let Self { accent, accent_deep, on_accent, mark } = self;
        format!(
            "--accent: {accent}; --accent-deep: {accent_deep}; --on-accent: {on_accent}; \
             --mark: {mark};"
        )
    }
}

impl Ground {
    fn shades(&self, accent: Colour) -> Shades {
        let steps = (0..100).map(|step| self.mixed(accent, step));
        let mut legible = steps.filter(|shades| self.can_be_read(shades));
        legible.next().unwrap_or_else(|| self.mixed(accent, 100))
    }

    fn mixed(&self, accent: Colour, step: u8) -> Shades {
        let accent = accent.mixed(self.away, step);
        let [.., card] = self.behind;
        let white = accent.contrast(Colour::WHITE) >= accent.contrast(Colour::BLACK);
        Shades {
            accent,
            accent_deep: accent.mixed(self.away, DEEPER),
            on_accent: if white { Colour::WHITE } else { Colour::BLACK },
            mark: card.mixed(accent, self.mark),
        }
    }

    fn can_be_read(&self, shades: &Shades) -> bool {
        let stands_out =
            |one: Colour, behind: Colour| one.contrast(behind) >= Palette::LEAST_CONTRAST;
        [shades.accent, shades.accent_deep].into_iter().all(|accent| {
            self.behind.into_iter().all(|behind| stands_out(accent, behind))
                && stands_out(accent, shades.mark)
                && stands_out(shades.on_accent, accent)
        })
    }
}
