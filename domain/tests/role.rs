//! Which role an invitation gives.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use domain::{MembershipRole, RolePolicy, role::RoleError};

fn role(name: &str) -> MembershipRole {
    MembershipRole::parse(name).unwrap()
}

#[test]
fn without_a_list_any_well_formed_role_will_do() {
    let policy = RolePolicy { default: role("guest"), allowed: None };
    assert_eq!(policy.choose(None), Ok(role("guest")));
    assert_eq!(policy.choose(Some("billing:read")), Ok(role("billing:read")));
    assert_eq!(policy.choose(Some("a b")), Err(RoleError::Malformed));
}

#[test]
fn with_a_list_only_its_roles_will_do() {
    let policy =
        RolePolicy { default: role("guest"), allowed: Some(vec![role("guest"), role("editor")]) };
    assert_eq!(policy.choose(Some("editor")), Ok(role("editor")));
    assert_eq!(policy.choose(Some("owner")), Err(RoleError::Unknown("guest, editor".to_owned())));
}
