//! Domains whose addresses are meant to be thrown away; the list and its source are in
//! `disposable_domains.txt`.

use std::collections::HashSet;
use std::sync::LazyLock;

static DOMAINS: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    let lines = include_str!("disposable_domains.txt").lines();
    lines.filter(|line| !line.starts_with('#')).collect()
});

/// Whether a domain, in lower-case ASCII, is on the list, or below one that is.
pub fn is_disposable(domain: &str) -> bool {
    self_and_above(domain).any(|domain| DOMAINS.contains(domain))
}

/// `a.b.c`, `b.c`, `c`.
pub(crate) fn self_and_above(domain: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(domain), |domain| domain.split_once('.').map(|(_, above)| above))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_there_and_has_its_subdomains() {
        assert!(DOMAINS.len() > 5000, "{}", DOMAINS.len());
        assert!(is_disposable("mailinator.com") && is_disposable("team.mailinator.com"));
        assert!(!is_disposable("is-no-mailinator.com") && !is_disposable("example.com"));
        assert!(DOMAINS.iter().all(|domain| domain.contains('.')), "no top-level domain is on it");
    }
}
