//! Organizations are strangers to each other: proven over every operation of the document, so that
//! a new one cannot be forgotten.
//!
//! What is documented is what is served (api/src/openapi/tests/served.rs holds that), and what a
//! path or a query may name is looked up in `World::make` by the parameter's name.

pub mod operations;
mod world;

use app::http::Answer;
use serde_json::json;

use crate::harness::{KEY, Stack};

use operations::operations;
use world::{Whose, World};

on_both_stacks!(
    another_organizations_things_do_not_exist,
    an_id_in_a_body_is_no_way_in_either,
    without_a_key_nothing_but_the_public_operations_answers,
    a_member_changes_nothing,
);

/// Operations for whoever has a link, proves to be a mail provider, looks after the service, or reads captured mail.
const PUBLIC: [&str; 12] = [
    "accept_invitation",
    "decline_invitation",
    "hear_ses",
    "hear_sendgrid",
    "hear_postmark",
    "hear_mailgun",
    "hear_dsn",
    "list_captured_mails",
    "download_captured_mail",
    "get_liveness",
    "get_metrics",
    "get_readiness",
];

/// What a key that may only read is let do.
const READING: [&str; 10] = [
    "list_invitations",
    "get_invitation",
    "get_me",
    "list_organizations",
    "get_organization",
    "list_members",
    "list_batches",
    "get_batch",
    "list_batch_rows",
    "get_batch_rows_as_csv",
];

/// Contracts answer as their pages say: the status for a foreign id, and for one that is not there.
const BY_CONTRACT: [(&str, u16, u16); 2] =
    [("jobsim_invite_member", 403, 404), ("users_organizations_invite", 403, 403)];

/// What an answer tells: everything but the time.
fn told(answer: &Answer) -> (u16, Vec<(String, String)>, String) {
    let mut headers = answer.headers.clone();
    headers.retain(|(name, _)| name != "date");
    headers.sort();
    (answer.status, headers, answer.text())
}

async fn another_organizations_things_do_not_exist(stack: Stack) {
    let world = World::make(stack).await;
    let before = world.foreign_view().await;
    let mut asked = 0;
    for operation in operations(&world.app).await {
        if operation.public || operation.names.is_empty() {
            continue;
        }
        let by_contract = BY_CONTRACT.iter().find(|(id, ..)| *id == operation.id);
        // Each name in turn, and all at once: an own invitation is none of a foreign organization.
        let count = operation.names.len();
        let turns = (0..count).map(|at| (0..count).map(|other| other == at).collect::<Vec<_>>());
        for turn in turns.chain([vec![true; count]]) {
            let owners = |whose| -> Vec<Whose> {
                turn.iter().map(|this| if *this { whose } else { Whose::Own }).collect()
            };
            let foreign = world.ask(&world.caller, &operation, &owners(Whose::Foreign)).await;
            let missing = world.ask(&world.caller, &operation, &owners(Whose::Nobody)).await;
            let what = format!("{} with {turn:?}", operation.id);
            if let Some((_, for_foreign, for_missing)) = by_contract {
                let said = (foreign.status, missing.status);
                assert_eq!(said, (*for_foreign, *for_missing), "{what}: {}", foreign.text());
            } else {
                assert_eq!(foreign.status, 404, "{what}: {}", foreign.text());
                assert_eq!(told(&foreign), told(&missing), "{what}");
            }
            asked += 1;
        }
    }
    assert!(asked > 15, "{asked} questions");
    assert_eq!(world.foreign_view().await, before, "nothing has changed for its owner");
}

async fn an_id_in_a_body_is_no_way_in_either(stack: Stack) {
    let world = World::make(stack).await;
    let before = world.foreign_view().await;
    let ids = world.ids("this test", "organization");
    let key = |id: &str| json!({"name": "x", "organization_id": id});
    let doit = |id: &str| json!({"email": "eve@example.com", "organizationId": id});
    for (path, body, status) in
        [("/v1/api-keys", &key as &dyn Fn(&str) -> _, 404), ("/iam/v1/users/invite", &doit, 403)]
    {
        let foreign = world.caller.post(path, &body(&ids.foreign)).await.unwrap();
        let missing = world.caller.post(path, &body(&ids.missing)).await.unwrap();
        assert_eq!(foreign.status, status, "{path}: {}", foreign.text());
        assert_eq!(told(&foreign), told(&missing), "{path}");
    }
    assert_eq!(world.foreign_view().await, before, "nothing has changed for its owner");
}

async fn without_a_key_nothing_but_the_public_operations_answers(stack: Stack) {
    let world = World::make(stack).await;
    let before = world.foreign_view().await;
    for operation in operations(&world.app).await {
        let id = operation.id.as_str();
        assert_eq!(
            operation.public,
            PUBLIC.contains(&id),
            "{id}: an operation has security((\"bearer\" = [])) or stands in PUBLIC of this test"
        );
        if operation.public {
            continue;
        }
        let own = vec![Whose::Foreign; operation.names.len()];
        for key in [None, Some("wlc_wrong".to_owned()), Some(KEY.to_uppercase())] {
            let stranger = world.app.client.clone().with_key(key);
            let answer = world.ask(&stranger, &operation, &own).await;
            assert_eq!(answer.status, 401, "{id}: {}", answer.text());
            let asked = answer.header("www-authenticate").unwrap_or_default();
            assert!(asked.starts_with("Bearer"), "{id}: {asked}");
        }
    }
    assert_eq!(world.foreign_view().await, before);
}

async fn a_member_changes_nothing(stack: Stack) {
    let world = World::make(stack).await;
    for operation in operations(&world.app).await {
        if operation.public {
            continue;
        }
        let own = vec![Whose::Own; operation.names.len()];
        let answer = world.ask(&world.member, &operation, &own).await;
        let may = READING.contains(&operation.id.as_str());
        let expected = if may { 200 } else { 403 };
        assert_eq!(
            answer.status,
            expected,
            "{}: what a member's key may do stands in READING of this test: {}",
            operation.id,
            answer.text()
        );
    }
}
