//! How organizations look: what can be read, whatever they choose, and which links and pictures are taken.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use domain::Branding;
use domain::branding::{
    Colour, Logo, LogoError, LogoKind, Palette, Shades, SupportLink, SupportLinkError,
};
use proptest::prelude::*;

/// What stands behind text, by day and by night, as the stylesheet has it.
fn grounds() -> [Vec<Colour>; 2] {
    let sheet = include_str!("../../templates/pages.css");
    let (light, dark) = sheet.split_once("prefers-color-scheme: dark").unwrap();
    [light, dark].map(|sheet| {
        let named = |name: &str| {
            let (_, rest) = sheet.split_once(&format!("{name}: ")).unwrap();
            Colour::parse(rest.split(';').next().unwrap()).unwrap()
        };
        ["--page", "--card", "--sunk"].map(named).into()
    })
}

fn is_legible(shades: &Shades, behind: &[Colour]) {
    for accent in [shades.accent, shades.accent_deep] {
        for ground in behind.iter().chain([&shades.mark]) {
            assert!(accent.contrast(*ground) >= 4.5, "{accent} on {ground}");
        }
        assert!(shades.on_accent.contrast(accent) >= 4.5, "{shades:?}");
    }
}

fn colours() -> impl Strategy<Value = Colour> {
    any::<[u8; 3]>().prop_map(|[red, green, blue]| Colour::new(red, green, blue))
}

proptest! {
    #[test]
    fn whatever_the_accent_is_all_that_has_it_can_be_read(accent in colours()) {
        let (palette, [light, dark]) = (Palette::of(accent), grounds());
        is_legible(&palette.light, &light);
        is_legible(&palette.dark, &dark);
    }

    #[test]
    fn what_can_be_read_stays_as_it_is(accent in colours()) {
        let Palette { light, dark } = Palette::of(accent);
        let again = (Palette::of(light.accent).light, Palette::of(dark.accent).dark);
        prop_assert_eq!(again, (light, dark));
    }

    #[test]
    fn a_colour_is_read_back(accent in colours(), text: String) {
        prop_assert_eq!(Colour::parse(&accent.to_string()), Ok(accent));
        prop_assert_eq!(Colour::parse(&accent.to_string().to_uppercase()), Ok(accent));
        if let Ok(colour) = Colour::parse(&text) {
            prop_assert_eq!(colour.to_string(), text.trim().to_lowercase());
        }
    }

    #[test]
    fn contrast_is_the_same_from_both_sides(one in colours(), other in colours()) {
        let contrast = one.contrast(other);
        prop_assert!((1.0..=21.0).contains(&contrast), "{}", contrast);
        prop_assert!((contrast - other.contrast(one)).abs() < 1e-9);
    }

    #[test]
    fn any_text_is_a_link_or_none(text: String, tail in "\\PC{0,40}") {
        for text in [text, format!("https://{tail}"), format!("mailto:{tail}")] {
            let Ok(link) = SupportLink::parse(&text) else { continue };
            let safe = link.as_str().starts_with("https://") || link.as_str().starts_with("mailto:");
            prop_assert!(safe && !link.as_str().contains(['"', '<', '>', ' ']), "{}", link);
            prop_assert!(link.as_str().contains(link.shown()));
            prop_assert_eq!(SupportLink::parse(link.as_str()), Ok(link));
        }
    }
}

#[test]
fn contrast_is_that_of_wcag() {
    let contrast = |one: &str, other: &str| {
        let contrast = Colour::parse(one).unwrap().contrast(Colour::parse(other).unwrap());
        format!("{contrast:.2}")
    };
    // As the WebAIM contrast checker has them.
    assert_eq!(contrast("#000000", "#ffffff"), "21.00");
    assert_eq!(contrast("#767676", "#ffffff"), "4.54");
    assert_eq!(contrast("#777777", "#ffffff"), "4.48");
    assert_eq!(contrast("#ff0000", "#ffffff"), "4.00");
}

#[test]
fn only_what_cannot_be_read_is_changed() {
    let of = |text: &str| Palette::of(Colour::parse(text).unwrap());
    let ours = of("#0b6a5f");
    assert_eq!(ours.light.accent.to_string(), "#0b6a5f");
    assert_eq!(ours.light.on_accent, Colour::WHITE);
    assert_ne!(ours.dark.accent.to_string(), "#0b6a5f", "too dark for the night");
    let yellow = of("#ffd400");
    assert_eq!(yellow.dark.accent.to_string(), "#ffd400");
    assert_eq!(yellow.dark.on_accent, Colour::BLACK);
    assert_ne!(yellow.light.accent.to_string(), "#ffd400", "too bright for the day");
    for end in [Colour::BLACK, Colour::WHITE] {
        let palette = Palette::of(end);
        assert!(palette.stylesheet().starts_with(":root { --accent: #"), "{palette:?}");
    }
}

#[test]
fn links_lead_to_a_page_or_an_address() {
    use SupportLinkError::{Credentials, Other, TooLong};
    let long = format!("https://example.com/{}", "a".repeat(500));
    for (text, expected) in [
        ("https://example.com/help?x=1#y", Ok("example.com")),
        (" HTTPS://Example.com ", Ok("example.com")),
        ("https://bücher.example/", Ok("xn--bcher-kva.example")),
        ("https://\"/", Err(Other)),
        ("https://127.0.0.1/", Err(Other)),
        ("https://localhost/", Err(Other)),
        ("mailto:Help@Example.com", Ok("Help@example.com")),
        ("mailto:help@example.com?bcc=eve@example.com", Err(Other)),
        ("mailto:a@example.com,b@example.com", Err(Other)),
        ("mailto:nobody", Err(Other)),
        ("http://example.com", Err(Other)),
        ("javascript:alert(1)", Err(Other)),
        ("data:text/html,x", Err(Other)),
        ("//example.com", Err(Other)),
        ("help@example.com", Err(Other)),
        ("", Err(Other)),
        ("https://ann:secret@example.com", Err(Credentials)),
        ("https://example.com@evil.example", Err(Credentials)),
        (&long, Err(TooLong)),
    ] {
        let link = SupportLink::parse(text);
        let shown = link.as_ref().map(SupportLink::shown).map_err(|error| *error);
        assert_eq!(shown, expected, "{text}");
    }
}

/// The smallest of each kind, or as much of it as is looked at: 3 pixels wide and 2 high.
fn pictures() -> [(LogoKind, Vec<u8>); 6] {
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x03\0\0\0\x02\x08\x06\0\0\0crc.\0\0\0\0IDAT";
    let jpeg = b"\xff\xd8\xff\xe0\0\x04..\xff\xff\xc0\0\x11\x08\0\x02\0\x03";
    let lossy = b"RIFF....WEBPVP8 ....\0\0\0\x9d\x01\x2a\x03\0\x02\0";
    let lossless = b"RIFF....WEBPVP8L....\x2f\x02\x40\0\0";
    let extended = b"RIFF....WEBPVP8X....\0\0\0\0\x02\0\0\x01\0\0";
    [
        (LogoKind::Png, png.to_vec()),
        (LogoKind::Jpeg, jpeg.to_vec()),
        (LogoKind::WebP, lossy.to_vec()),
        (LogoKind::WebP, lossless.to_vec()),
        (LogoKind::WebP, extended.to_vec()),
        (LogoKind::Gif, gif(1)),
    ]
}

/// With so many pictures in it.
fn gif(pictures: usize) -> Vec<u8> {
    let extension: &[u8] = b"\x21\xfe\x02ab\0";
    let picture: &[u8] = b"\x2c\0\0\0\0\x03\0\x02\0\0\x02\x02\x4c\x01\0";
    let head: &[u8] = b"GIF89a\x03\0\x02\0\x80\0\0\xff\xff\xff\0\0\0";
    [head, extension, &picture.repeat(pictures), b";"].concat()
}

#[test]
fn pictures_are_known_by_their_heads() {
    for (kind, bytes) in pictures() {
        let logo = Logo::read(&bytes).unwrap();
        let (size, length) = ((logo.width, logo.height), logo.bytes as usize);
        assert_eq!((logo.kind, size, length), (kind, (3, 2), bytes.len()), "{bytes:?}");
        assert_eq!(LogoKind::parse(kind.media_type()), Some(kind));
        for end in 0..bytes.len() {
            let cut = Logo::read(&bytes[..end]);
            assert!(matches!(cut, Err(LogoError::Kind | LogoError::Broken)), "{kind:?} {end}");
        }
    }
    let [one, other] = [gif(1), pictures()[0].1.clone()].map(|bytes| Logo::read(&bytes).unwrap());
    assert_eq!((one.hash.len(), one.hash != other.hash), (32, true));
}

#[test]
fn what_is_no_logo_says_why() {
    let changed = |at: usize, bytes: &[u8]| {
        let mut png = pictures()[0].1.clone();
        png.splice(at..at + bytes.len(), bytes.iter().copied());
        png
    };
    let moving = b"RIFF....WEBPVP8X....\x02\0\0\0\x02\0\0\x01\0\0";
    for (bytes, expected) in [
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>".to_vec(), LogoError::Kind),
        (b"<?xml version='1.0'?><svg/>".to_vec(), LogoError::Kind),
        (Vec::new(), LogoError::Kind),
        (changed(16, &[0, 0, 8, 1]), LogoError::Pixels),
        (changed(20, &[0, 0, 0, 0]), LogoError::Pixels),
        (changed(37, b"acTL"), LogoError::Animated),
        (gif(2), LogoError::Animated),
        (gif(0), LogoError::Broken),
        (moving.to_vec(), LogoError::Animated),
        (vec![0; Logo::MOST_BYTES + 1], LogoError::TooLarge),
    ] {
        assert_eq!(Logo::read(&bytes), Err(expected), "{expected}");
    }
}

#[test]
fn what_is_kept_is_read_back() {
    let branding = Branding {
        name: Some("Acme".to_owned()),
        accent: Some(Colour::new(0x7a, 0x1f, 0xa2)),
        support_url: SupportLink::parse("mailto:help@example.com").ok(),
        logo: Logo::read(&gif(1)).ok(),
    };
    let kept = serde_json::to_value(&branding).unwrap();
    assert_eq!(serde_json::from_value::<Branding>(kept).unwrap(), branding);
    assert_eq!(serde_json::to_string(&Branding::default()).unwrap(), "{}");
    assert!(serde_json::from_str::<Branding>(r#"{"accent": "red"}"#).is_err());
}
