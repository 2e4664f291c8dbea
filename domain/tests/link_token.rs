//! Links: what is stored of them, and which typed ones are the same.

use std::time::Duration;

use domain::{LinkHash, LinkToken, SecretHash, Timestamp};
use rand::SeedableRng;
use rand::rngs::StdRng;

/// 2026-11-27T22:00:00Z, in hours.
const HOUR: u64 = 498_838;

/// Made so many hours and seconds after 1970 began.
fn made(hours: u64, seconds: u64, seed: u64) -> LinkToken {
    let at = Timestamp::UNIX_EPOCH + Duration::from_secs(hours * 3600 + seconds);
    LinkToken::generate(at, &mut StdRng::seed_from_u64(seed))
}

#[test]
fn what_is_stored_grows_with_the_hour() {
    // The last hour is of the year 2088.
    for pair in [HOUR - 1, HOUR, HOUR + 7, HOUR + 1000, 1_040_000].windows(2) {
        for seed in 0..20 {
            let (earlier, later) = (made(pair[0], 3599, seed), made(pair[1], 0, seed + 1000));
            assert!(earlier.hash().to_vec() < later.hash().to_vec(), "{pair:?}");
        }
    }
}

#[test]
fn links_of_one_hour_begin_alike_and_are_different() {
    let (one, two) = (made(HOUR, 0, 1), made(HOUR, 3599, 2));
    let ((begin, rest), (same, other)) = (one.expose().split_at(4), two.expose().split_at(4));
    assert_eq!((begin, same), ("F74P", "F74P"));
    assert_ne!(rest, other);
    assert_eq!((one.expose().len(), one.hash().to_vec().len()), (30, 35));
    assert_eq!(one.hash().to_vec()[..3], two.hash().to_vec()[..3]);
    assert_ne!(one.hash().to_vec(), two.hash().to_vec());
}

#[test]
fn a_link_may_be_typed_as_a_password_may() {
    let token = made(HOUR, 0, 1);
    let stored = token.hash().to_vec();
    let text = token.expose();
    let typed = [text.to_owned(), text.to_lowercase(), format!(" {}-{}\n", &text[..7], &text[7..])];
    for typed in typed {
        assert_eq!(LinkHash::of_typed(&typed).to_vec(), stored, "{typed:?}");
    }
    // Another hour, an hour that is none, more, less and nothing.
    for typed in [
        format!("F74N{}", &text[4..]),
        format!("UUUU{}", &text[4..]),
        format!("{text}0"),
        text[1..].to_owned(),
        String::new(),
    ] {
        assert_ne!(LinkHash::of_typed(&typed).to_vec(), stored, "{typed:?}");
    }
}

#[test]
fn a_link_without_an_hour_is_known_by_its_hash_alone() {
    let old = "7ZK40123ABCDEFGH1JKMNPQRST";
    assert_eq!(LinkHash::of_typed(old).to_vec(), SecretHash::of_exact(old).to_vec());
}
