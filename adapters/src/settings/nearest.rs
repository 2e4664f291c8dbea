//! Guesses which name was meant when one is unknown.

/// Farther apart than this, a suggestion confuses more than it helps.
const MAX_DISTANCE: usize = 3;

/// The known name that `given` is probably a misspelling or an abbreviation of.
pub fn nearest(given: &str, known: impl Iterator<Item = String>) -> Option<String> {
    known
        .map(|name| (distance(given, &name), name))
        .min()
        .filter(|(distance, _)| *distance <= MAX_DISTANCE)
        .map(|(_, name)| name)
}

/// How many characters must be inserted, removed or replaced (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (y, cell) in b.iter().zip(row.iter_mut().skip(1)) {
            let above = *cell;
            left = (diagonal + usize::from(x != *y)).min(above + 1).min(left + 1);
            diagonal = above;
            *cell = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_the_closest_and_nothing_far() {
        let known = || ["http.bind", "http.workers", "mail.url"].map(String::from).into_iter();
        assert_eq!(nearest("http.bnid", known()), Some("http.bind".into()));
        assert_eq!(nearest("http.worker", known()), Some("http.workers".into()));
        assert_eq!(nearest("mail.password", known()), None);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
    }
}
