//! Secrets in all the forms in which they could lie about, and the search for them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

/// What must not be found.
#[derive(Default)]
pub struct Needles(Vec<(String, String)>);

impl Needles {
    /// Looks for `secret` as it is, without dashes, in either case, in base64 and in hexadecimal.
    pub fn add(&mut self, what: &str, secret: &str) {
        assert!(secret.len() >= 8, "{what} is too short to be told from chance");
        let bare = secret.replace('-', "");
        let coded = BASE64.encode(secret);
        let hex = secret.bytes().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
        for form in [
            secret.to_owned(),
            bare.to_lowercase(),
            bare.to_uppercase(),
            bare,
            // Its end depends on what follows.
            coded[..secret.len() / 3 * 4].to_owned(),
            hex.to_uppercase(),
            hex,
        ] {
            self.0.push((what.to_owned(), form));
        }
    }

    /// Which of them stand in `hay`.
    pub fn found_in(&self, hay: &[u8]) -> Vec<&str> {
        // None of them has a byte that this replaces.
        let hay = String::from_utf8_lossy(hay);
        let mut found: Vec<&str> = Vec::new();
        for (what, needle) in &self.0 {
            if found.last() != Some(&what.as_str()) && hay.contains(needle.as_str()) {
                found.push(what);
            }
        }
        found
    }
}

#[test]
fn what_lies_about_in_any_form_is_found() {
    let mut needles = Needles::default();
    needles.add("password", "AB12-CD34-EF56");
    for planted in [
        "x AB12-CD34-EF56 y",
        "ab12cd34ef56",
        "AB12CD34EF56",
        "QUIxMi1DRDM0LUVGNTY=",
        "\\x414231322d434433342d45463536",
    ] {
        assert_eq!(needles.found_in(planted.as_bytes()), ["password"], "{planted}");
    }
    assert!(needles.found_in(b"AB12-CD34").is_empty());
}
