//! Secrets as people type them, and as nobody gets to see them.

use std::collections::HashSet;

use domain::secret::random_text;
use domain::{LinkToken, SecretHash, TemporaryPassword, Timestamp};
use rand::SeedableRng;
use rand::rngs::StdRng;

#[test]
fn a_password_may_be_typed_in_any_of_these_ways() {
    let password = TemporaryPassword::from_sealed("7ZK40123ABCDEFGH1JKMNPQRST".to_owned());
    assert_eq!(*password.grouped(), "7ZK4-0123-ABCD-EFGH-1JKM-NPQR-ST");
    for typed in [
        "7ZK40123ABCDEFGH1JKMNPQRST",
        "7ZK4-0123-ABCD-EFGH-1JKM-NPQR-ST",
        "7zk4-0123-abcd-efgh-1jkm-npqr-st",
        "7ZK4 0123 ABCD EFGH 1JKM NPQR ST",
        "  7ZK4-0123-ABCD-EFGH-1JKM-NPQR-ST  ",
        "7ZK4-O123-ABCD-EFGH-IJKM-NPQR-ST",
        "7zk4-o123-abcd-efgh-ljkm-npqr-st",
        "7ZK4-0I23-ABCD-EFGH-1JKM-NPQR-ST",
    ] {
        assert!(SecretHash::of_typed(typed) == password.hash(), "{typed}");
    }
    for typed in [
        "",
        "7ZK4",
        "7ZK4-0123-ABCD-EFGH-1JKM-NPQR-S",
        "7ZK4-0123-ABCD-EFGH-1JKM-NPQR-STT",
        "8ZK4-0123-ABCD-EFGH-1JKM-NPQR-ST",
        "ZK47-0123-ABCD-EFGH-1JKM-NPQR-ST",
    ] {
        assert!(SecretHash::of_typed(typed) != password.hash(), "{typed}");
    }
}

#[test]
fn what_a_mail_program_puts_around_a_pasted_password_does_not_matter() {
    let password = TemporaryPassword::from_sealed("7ZK40123ABCDEFGH1JKMNPQRST".to_owned());
    for pasted in [
        "7ZK4-0123-ABCD-EFGH-1JKM-NPQR-ST\n",
        "\t7ZK4-0123-ABCD-EFGH-1JKM-NPQR-ST\r\n",
        "7ZK4\u{a0}0123\u{a0}ABCD\u{a0}EFGH\u{a0}1JKM\u{a0}NPQR\u{a0}ST",
        "7ZK4\u{2011}0123\u{2011}ABCD\u{2011}EFGH\u{2011}1JKM\u{2011}NPQR\u{2011}ST",
        "7ZK4\u{2013}0123\u{2013}ABCD\u{2013}EFGH\u{2013}1JKM\u{2013}NPQR\u{2013}ST",
    ] {
        assert!(SecretHash::of_typed(pasted) == password.hash(), "{pasted:?}");
    }
}

#[test]
fn a_copied_secret_has_to_be_exact() {
    let hash = SecretHash::of_exact("wk_ABC-1");
    assert!(hash == SecretHash::of_exact("wk_ABC-1"));
    for other in ["wk_abc-1", "wk_ABC1", "wk_ABC-I", "wk_ABC-1 "] {
        assert!(hash != SecretHash::of_exact(other), "{other}");
    }
}

#[test]
fn a_hash_survives_the_database() {
    let hash = SecretHash::of_exact("x");
    assert_eq!(SecretHash::from_bytes(&hash.to_vec()), Some(hash));
    assert_eq!(SecretHash::from_bytes(&[0; 31]), None);
    assert_eq!(SecretHash::from_bytes(&[0; 33]), None);
    assert_eq!(SecretHash::from_bytes(&[]), None);
}

#[test]
fn secrets_have_130_bits_of_a_readable_alphabet_and_do_not_repeat() {
    let mut rng = StdRng::seed_from_u64(1);
    let texts: HashSet<String> = (0..10_000).map(|_| random_text(&mut rng).to_string()).collect();
    assert_eq!(texts.len(), 10_000);
    let alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    for text in &texts {
        assert_eq!(text.len(), 26);
        assert!(text.chars().all(|c| alphabet.contains(c)), "{text}");
    }
    let used: HashSet<char> = texts.iter().flat_map(|text| text.chars()).collect();
    assert_eq!(used.len(), 32, "five bits a character");
}

#[test]
fn no_way_of_printing_shows_a_secret() {
    let mut rng = StdRng::seed_from_u64(1);
    let password = TemporaryPassword::generate(&mut rng);
    let token = LinkToken::generate(Timestamp::UNIX_EPOCH, &mut rng);
    assert_eq!(format!("{password:?}"), "TemporaryPassword(…)");
    assert_eq!(format!("{token:?}"), "LinkToken(…)");
    assert_eq!(format!("{:?}", password.hash()), "SecretHash(…)");
    assert_eq!(format!("{:?}", token.hash()), "LinkHash(…)");
    assert_ne!(password.expose(), token.expose());
}
