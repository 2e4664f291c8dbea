//! Sealing as its callers rely on it: round trip, rotation, tampering, and the key file.

use std::os::unix::fs::PermissionsExt;

use adapters::rng;
use adapters::seal::{SealError, SealKeys};

const A: &str = "a:QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=";
const B: &str = "b:QkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkI";

#[test]
fn opens_what_it_sealed_and_repeats_no_ciphertext() {
    let keys = SealKeys::parse(A).unwrap();
    let sealed = keys.seal(b"hush", b"row 1", &mut rng());
    assert_eq!(keys.open(&sealed, b"row 1").unwrap().as_slice(), b"hush");
    assert_eq!(sealed.len(), 1 + 1 + 24 + 4 + 16);
    assert_ne!(sealed, keys.seal(b"hush", b"row 1", &mut rng()));
    assert_eq!(format!("{keys:?}"), "SealKeys(\"a\" seals, [] open too)");
}

#[test]
fn a_new_first_key_still_opens_the_old_until_it_is_dropped() {
    let old = SealKeys::parse(A).unwrap().seal(b"hush", b"", &mut rng());
    let both = SealKeys::parse(&format!("{B}, {A}")).unwrap();
    assert_eq!(both.open(&old, b"").unwrap().as_slice(), b"hush");
    let only_new = SealKeys::parse(B).unwrap();
    assert!(only_new.open(&both.seal(b"hush", b"", &mut rng()), b"").is_ok());
    let error = only_new.open(&old, b"").unwrap_err();
    assert_eq!(error.to_string(), "sealed with the key \"a\", which is not among the seal keys");
}

#[test]
fn refuses_what_was_changed_or_belongs_elsewhere() {
    let keys = SealKeys::parse(A).unwrap();
    let sealed = keys.seal(b"hush", b"row 1", &mut rng());
    assert!(matches!(keys.open(&sealed, b"row 2"), Err(SealError::Tampered(id)) if id == "a"));
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        assert!(keys.open(&changed, b"row 1").is_err(), "byte {at}");
        assert!(keys.open(&sealed[..at], b"row 1").is_err(), "length {at}");
    }
    // The same id with another key.
    let other = SealKeys::parse(&B.replace("b:", "a:")).unwrap();
    assert!(matches!(other.open(&sealed, b"row 1"), Err(SealError::Tampered(_))));
}

#[test]
fn refuses_a_malformed_list_without_repeating_it() {
    let twice = format!("{A},{A}");
    for (list, sentence) in [
        ("", "must look like kid:base64,kid:base64 (key 1)"),
        ("hush", "must look like kid:base64,kid:base64 (key 1)"),
        (
            ":QUFB",
            "must have key ids of 1 to 32 letters, digits, dots, dashes or underscores (key 1)",
        ),
        ("a:not base64", "must have keys in base64 (key 1)"),
        ("a:QUFB", "must have keys of 32 bytes (key 1)"),
        (&format!("{A},"), "must look like kid:base64,kid:base64 (key 2)"),
        (&twice, "names the key \"a\" twice"),
    ] {
        let error = SealKeys::parse(list).unwrap_err().to_string();
        assert_eq!(error, format!("the list of seal keys {sentence}"));
    }
}

#[test]
fn makes_one_private_key_file_even_if_many_start_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("new/data");
    let sealed: Vec<_> = std::thread::scope(|scope| {
        let starts: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    let keys = SealKeys::load_or_create(&data_dir, "").unwrap();
                    keys.seal(b"hush", b"", &mut rng())
                })
            })
            .collect();
        starts.into_iter().map(|start| start.join().unwrap()).collect()
    });
    let again = SealKeys::load_or_create(&data_dir, "").unwrap();
    assert!(sealed.iter().all(|sealed| again.open(sealed, b"").is_ok()));
    let names: Vec<_> =
        std::fs::read_dir(&data_dir).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["seal.key"]);
    let mode = std::fs::metadata(data_dir.join("seal.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn touches_no_file_if_keys_are_given() {
    let folder = tempfile::tempdir().unwrap();
    SealKeys::load_or_create(folder.path(), A).unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    std::fs::write(folder.path().join("seal.key"), "").unwrap();
    assert!(matches!(SealKeys::load_or_create(folder.path(), ""), Err(SealError::Keys(_))));
}
