//! Where the links of a mail go, and whether that is what they say.

use std::collections::BTreeSet;

use serde::Serialize;
use url::Url;

use super::MailCheck;
use super::markup::Markup;

/// One link of a mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Link {
    /// As it stands in the mail.
    pub target: String,
    /// What can be read in its place; empty in a text part.
    pub text: String,
    /// Where it was found.
    pub place: Place,
    /// Whether it leads to the service that sends the mail.
    pub ours: bool,
    /// What is wrong with it, in sentences.
    pub problems: Vec<String>,
}

/// The part or parts that have a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// HTML and text.
    Both,
    /// HTML alone.
    Html,
    /// Text alone.
    Text,
}

/// What is no link to a page, and may stand in one part alone.
const NO_PAGE: [&str; 3] = ["mailto", "tel", "sms"];
/// Ends of a host name that show that words are one, though they have no scheme and no path.
const KNOWN_ENDS: [&str; 8] = ["com", "org", "net", "io", "dev", "app", "example", "eu"];

/// The links of both parts.
pub(super) fn of(markup: &Markup, text: &str, home: &Url) -> Vec<Link> {
    let in_text: Vec<&str> = addresses(text).collect();
    let has_text = !text.trim().is_empty();
    let mut found: Vec<Link> = Vec::new();
    let anchors =
        markup.anchors.iter().filter_map(|one| Some((one.target.as_deref()?, &*one.text)));
    for (target, shown) in anchors {
        if found.iter().any(|link| link.target == target && link.text == shown) {
            continue;
        }
        let both = in_text.iter().any(|other| same(other, target));
        let place = if both { Place::Both } else { Place::Html };
        let mut link = link(target, shown, place, home);
        let is_page = matches!(Url::parse(target), Ok(url) if !NO_PAGE.contains(&url.scheme()));
        if has_text && place == Place::Html && is_page {
            link.problems.push("The text part does not have this link.".to_owned());
        }
        found.push(link);
    }
    let in_html: Vec<String> = found.iter().map(|link| link.target.clone()).collect();
    for address in in_text.into_iter().collect::<BTreeSet<_>>() {
        if !in_html.iter().any(|target| same(target, address)) {
            let mut link = link(address, "", Place::Text, home);
            if !markup.elements.is_empty() {
                link.problems.push("The HTML part does not have this link.".to_owned());
            }
            found.push(link);
        }
    }
    found.truncate(MailCheck::MAX_LINKS);
    found
}

fn link(target: &str, shown: &str, place: Place, home: &Url) -> Link {
    let mut problems = Vec::new();
    let mut say = |sentence: &str| problems.push(sentence.to_owned());
    if target.contains("{{") || target.contains("}}") || target.to_lowercase().contains("%7b%7b") {
        say("A variable of the template was not filled in.");
    }
    if place != Place::Text && shown.is_empty() {
        say("There is nothing to read in its place, and nothing for a screen reader to say.");
    }
    let url = Url::parse(target);
    match &url {
        _ if target.is_empty() || target == "#" => say("It leads nowhere."),
        Ok(url) if url.scheme() == "https" => {}
        Ok(url) if url.scheme() == "http" && is_this_machine(url) => {}
        Ok(url) if url.scheme() == "http" => say("It is not encrypted: use https."),
        Ok(url) if NO_PAGE.contains(&url.scheme()) => {}
        Ok(_) => say("Mail readers take links of this kind away."),
        Err(_) => say("It has no scheme and host: a mail has no address that it could begin with."),
    }
    let ours = url
        .as_ref()
        .is_ok_and(|url| url.origin() == home.origin() && url.path().starts_with(home.path()));
    if let (Ok(url), Some(said)) = (&url, said(shown))
        && !leads_there(&said, url, shown)
    {
        let host = url.host_str().unwrap_or(url.scheme());
        say(&format!("It reads as {shown}, but leads to {host}{}.", url.path()));
    }
    let (target, text) = (target.to_owned(), shown.to_owned());
    Link { target, text, place, ours, problems }
}

/// The addresses in a plain text, without what only ends a sentence.
fn addresses(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| c.is_whitespace() || "<>\"".contains(c));
    words.filter_map(|word| {
        let lower = word.to_ascii_lowercase();
        let at = [lower.find("http://"), lower.find("https://")].into_iter().flatten().min()?;
        let address = word[at..].trim_end_matches(|c: char| ".,;:!?'”’»]}".contains(c));
        // One that was opened within the address belongs to it.
        let address = if address.contains('(') { address } else { address.trim_end_matches(')') };
        Some(address.trim_end_matches('.'))
    })
}

/// The address that a text looks like to whoever reads it.
fn said(text: &str) -> Option<Url> {
    let text = text.trim().trim_end_matches(['…', '.']);
    let lower = text.to_lowercase();
    if text.is_empty() || text.contains(char::is_whitespace) || text.contains('@') {
        return None;
    }
    if lower.starts_with("http://") || lower.starts_with("https://") {
        return Url::parse(text).ok();
    }
    let (host, path) = text.split_once('/').map_or((text, None), |(host, path)| (host, Some(path)));
    let last = host.rsplit_once('.')?.1;
    let is_end = last.len() >= 2 && last.chars().all(char::is_alphabetic);
    let known = KNOWN_ENDS.contains(&last.to_lowercase().as_str());
    let looks = lower.starts_with("www.") || (is_end && (path.is_some() || known));
    looks.then(|| Url::parse(&format!("https://{text}")).ok())?
}

fn leads_there(said: &Url, target: &Url, shown: &str) -> bool {
    let host =
        |url: &Url| url.host_str().map(|host| host.strip_prefix("www.").unwrap_or(host).to_owned());
    let trimmed = |url: &Url| url.path().trim_end_matches('/').to_owned();
    let (said_path, path) = (trimmed(said), trimmed(target));
    // What is cut short shows how it begins.
    let cut = shown.ends_with('…') || shown.ends_with("...");
    let path_fits =
        said_path.is_empty() || said_path == path || (cut && path.starts_with(&said_path));
    let port_fits = said.port().is_none_or(|port| target.port() == Some(port));
    host(said) == host(target) && port_fits && path_fits
}

fn is_this_machine(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    host == "localhost" || host.starts_with("127.") || host == "[::1]"
}

fn same(one: &str, other: &str) -> bool {
    one == other
        || matches!((Url::parse(one), Url::parse(other)), (Ok(one), Ok(other)) if one == other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(html: &str, text: &str) -> Vec<Link> {
        of(&Markup::read(html), text, &Url::parse("https://invite.example.com/app/").unwrap())
    }

    fn problems(html: &str) -> String {
        check(html, "").iter().flat_map(|link| link.problems.clone()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_link_that_says_one_thing_and_leads_to_another_is_found() {
        for (shown, target) in [
            ("https://bank.example/login", "https://evil.example/login"),
            ("www.bank.example", "https://bank.example.evil.test/"),
            ("bank.com", "https://evil.example/bank.com"),
            ("https://bank.example/a", "https://bank.example/b"),
            ("bank.example/a", "mailto:a@bank.example"),
            ("https://bänk.example/", "https://bank.example/"),
            ("http://127.0.0.1:8080/", "http://127.0.0.1:9090/"),
        ] {
            let found = problems(&format!("<a href='{target}'>{shown}</a>"));
            assert!(found.contains(&format!("reads as {shown}")), "{shown} {target}: {found}");
        }
        for (shown, target) in [
            ("Join", "https://evil.example/"),
            ("Node.js", "https://example.com/"),
            ("BANK.example", "https://www.bank.example/?from=mail"),
            ("https://bank.example/login/", "https://bank.example/login?x=1"),
            ("https://bank.example/log…", "https://bank.example/login"),
            ("help@bank.example", "mailto:help@bank.example"),
            ("https://bänk.example/", "https://xn--bnk-qla.example/"),
        ] {
            assert_eq!(
                problems(&format!("<a href='{target}'>{shown}</a>")),
                "",
                "{shown} {target}"
            );
        }
    }

    #[test]
    fn both_parts_are_held_against_each_other() {
        let links = check(
            "<a href='https://invite.example.com/app/i/X'>Join</a> <a href='https://a.example/'>a</a>\
             <a href='mailto:a@a.example'>write</a>",
            "Join (https://invite.example.com/app/i/X). Or https://b.example/y_(z).",
        );
        let found: Vec<_> = links.iter().map(|one| (&*one.target, one.place, one.ours)).collect();
        assert_eq!(
            found,
            [
                ("https://invite.example.com/app/i/X", Place::Both, true),
                ("https://a.example/", Place::Html, false),
                ("mailto:a@a.example", Place::Html, false),
                ("https://b.example/y_(z)", Place::Text, false),
            ]
        );
        let wrong: Vec<usize> = links.iter().map(|link| link.problems.len()).collect();
        assert_eq!(wrong, [0, 1, 0, 1]);
    }

    #[test]
    fn what_leads_nowhere_is_said() {
        for (target, said) in [
            ("", "nowhere"),
            ("#", "nowhere"),
            ("/i/X", "no scheme"),
            ("javascript:alert(1)", "take links of this kind away"),
            ("http://a.example/", "not encrypted"),
            ("https://a.example/{{token}}", "not filled in"),
        ] {
            let found = problems(&format!("<a href='{target}'>x</a>"));
            assert!(found.contains(said), "{target}: {found}");
        }
        assert_eq!(problems("<a href='http://127.0.0.1:8080/i/X'>x</a> <a name=top>x</a>"), "");
        assert!(problems("<a href='https://a.example/'><img></a>").contains("nothing to read"));
    }
}
