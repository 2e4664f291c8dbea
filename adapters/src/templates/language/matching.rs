//! From the language that is wanted to the best one there is.

/// A language tag with the usual case (RFC 5646 §2.1.1): `pt_br` is `pt-BR`.
pub fn canonical(tag: &str) -> String {
    let subtags = tag.split(['-', '_']).enumerate().map(|(at, subtag)| match (at, subtag.len()) {
        (0, _) => match subtag.to_ascii_lowercase().as_str() {
            // Its name until 1989, which Java kept for long.
            "iw" => "he".to_owned(),
            language => language.to_owned(),
        },
        (_, 2) => subtag.to_ascii_uppercase(),
        (_, 4) if subtag.is_ascii() => {
            let (first, rest) = subtag.split_at(1);
            first.to_ascii_uppercase() + &rest.to_ascii_lowercase()
        }
        _ => subtag.to_ascii_lowercase(),
    });
    subtags.collect::<Vec<_>>().join("-")
}

/// The best of the languages there are (canonical tags, sorted): `de-AT` gets `de-AT`, else `de`, else
/// another kind of German. `None` if there is nothing of the language.
pub fn best<'a>(wanted: &str, known: &'a [String]) -> Option<&'a str> {
    let wanted = canonical(wanted);
    let mut tag = wanted.as_str();
    loop {
        if let Some(found) = known.iter().find(|known| *known == tag) {
            return Some(found);
        }
        let Some((shorter, _)) = tag.rsplit_once('-') else { break };
        tag = shorter;
    }
    let related = |known: &&String| language(known) == tag && script(known) == script(&wanted);
    known.iter().find(related).map(String::as_str)
}

fn language(tag: &str) -> &str {
    tag.split('-').next().unwrap_or_default()
}

/// Who reads traditional characters does not read simplified ones for that, and the other way round.
fn script(tag: &str) -> &'static str {
    let traditional = |subtag| matches!(subtag, "Hant" | "TW" | "HK" | "MO");
    let is_traditional = language(tag) == "zh"
        && !tag.split('-').any(|subtag| subtag == "Hans")
        && tag.split('-').any(traditional);
    if is_traditional { "Hant" } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_have_the_usual_case() {
        for (tag, expected) in [
            ("EN", "en"),
            ("pt_br", "pt-BR"),
            ("ZH-hans-cn", "zh-Hans-CN"),
            ("es-419", "es-419"),
            ("iw-IL", "he-IL"),
            ("", ""),
            ("äöüß-äö", "äöüß-äö"),
        ] {
            assert_eq!(canonical(tag), expected);
        }
    }

    #[test]
    fn the_nearest_language_is_the_best() {
        let known = ["de", "en", "fr-CA", "he", "pt-BR", "zh-CN"].map(str::to_owned);
        for (wanted, expected) in [
            ("de", Some("de")),
            ("de-AT", Some("de")),
            ("DE_at", Some("de")),
            ("de-Latn-AT-1996", Some("de")),
            ("fr", Some("fr-CA")),
            ("fr-FR", Some("fr-CA")),
            ("pt", Some("pt-BR")),
            ("pt-PT", Some("pt-BR")),
            ("zh", Some("zh-CN")),
            ("zh-Hans-SG", Some("zh-CN")),
            ("zh-TW", None),
            ("zh-Hant", None),
            ("iw", Some("he")),
            ("d", None),
            ("", None),
            ("-", None),
        ] {
            assert_eq!(best(wanted, &known), expected, "{wanted}");
        }
    }
}
