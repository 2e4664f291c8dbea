//! Links: what is stored of them, and which typed ones are the same.

use domain::{LinkHash, LinkToken, SecretHash, Timestamp};
use rand::SeedableRng;
use rand::rngs::StdRng;

fn made(at: &str, seed: u64) -> LinkToken {
    let at: Timestamp = at.parse().unwrap();
    LinkToken::generate(at, &mut StdRng::seed_from_u64(seed))
}

#[test]
fn what_is_stored_grows_with_the_hour() {
    let hours = [
        "2026-11-27T21:59:59Z",
        "2026-11-27T22:00:00Z",
        "2026-11-28T05:00:00Z",
        "2027-01-01T00:00:00Z",
        "2088-01-01T00:00:00Z",
    ];
    for pair in hours.windows(2) {
        for seed in 0..20 {
            let (earlier, later) = (made(pair[0], seed), made(pair[1], seed + 1000));
            assert!(earlier.hash().to_vec() < later.hash().to_vec(), "{pair:?}");
        }
    }
}

#[test]
fn links_of_one_hour_begin_alike_and_are_different() {
    let [one, two] =
        [("2026-11-27T22:00:00Z", 1), ("2026-11-27T22:59:59Z", 2)].map(|(at, seed)| made(at, seed));
    let ([begin, rest], [same, other]) =
        [&one, &two].map(|token| token.expose().split_at(4)).map(<[&str; 2]>::from).into();
    assert_eq!((begin, same), ("F74P", "F74P"));
    assert_ne!(rest, other);
    assert_eq!((one.expose().len(), one.hash().to_vec().len()), (30, 35));
    assert_eq!(one.hash().to_vec()[..3], two.hash().to_vec()[..3]);
    assert_ne!(one.hash().to_vec(), two.hash().to_vec());
}

#[test]
fn a_link_may_be_typed_as_a_password_may() {
    let token = made("2026-11-27T22:00:00Z", 1);
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
