//! Nobody gives permissions they lack.

use domain::Permissions;

fn permissions(group: i64, read: &[i64], manage: &[i64]) -> Permissions {
    Permissions { group, read: read.to_vec(), manage: manage.to_vec() }
}

#[test]
fn one_covers_what_one_has() {
    let own = permissions(2, &[1], &[5]);
    for (wanted, covered) in [
        (permissions(0, &[], &[]), true),
        (permissions(2, &[1], &[5]), true),
        (permissions(0, &[1, 5], &[]), true),
        (permissions(1, &[], &[]), false),
        (permissions(0, &[2], &[]), false),
        (permissions(0, &[], &[1]), false),
        (permissions(2, &[1], &[5, 6]), false),
    ] {
        assert_eq!(own.cover(&wanted), covered, "{wanted:?}");
    }
}

#[test]
fn who_has_nothing_gives_nothing() {
    let none = Permissions::default();
    assert!(none.cover(&none));
    assert!(!none.cover(&permissions(1, &[], &[])));
}
