//! No operation of the API is forgotten: each has a command, or a reason why it has none.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::help::COMMANDS;
use super::welcomat;

/// Operations and the command that asks for each.
const COMMAND: [(&str, &str); 72] = [
    ("get_me", "me"),
    ("list_own_invitations", "me invitations"),
    ("list_invitations", "invitations list"),
    ("get_invitation", "invitations get"),
    ("create_invitation", "invitations create"),
    ("resend_invitation", "invitations resend"),
    ("reschedule_invitation", "invitations reschedule"),
    ("change_invitation_address", "invitations change-address"),
    ("extend_invitation", "invitations extend"),
    ("revoke_invitation", "invitations revoke"),
    ("accept_invitation", "invitations accept"),
    ("decline_invitation", "invitations decline"),
    ("create_batch", "batches create"),
    ("list_batches", "batches list"),
    ("get_batch", "batches get"),
    ("list_batch_rows", "batches rows"),
    ("get_batch_rows_as_csv", "batches rows"),
    ("retry_batch", "batches retry"),
    ("cancel_batch", "batches cancel"),
    ("list_organizations", "organizations list"),
    ("get_organization", "organizations get"),
    ("create_organization", "organizations create"),
    ("change_organization", "organizations update"),
    ("get_policy", "policy get"),
    ("replace_policy", "policy set"),
    ("get_branding", "branding get"),
    ("replace_branding", "branding set"),
    ("replace_logo", "branding set"),
    ("remove_logo", "branding set"),
    ("clear_branding", "branding clear"),
    ("list_members", "members list"),
    ("remove_member", "members remove"),
    ("list_api_keys", "keys list"),
    ("create_api_key", "keys create"),
    ("revoke_api_key", "keys revoke"),
    ("list_suppressions", "suppressions list"),
    ("add_suppression", "suppressions add"),
    ("lift_suppression", "suppressions lift"),
    ("export_person", "people export"),
    ("export_person_everywhere", "people export"),
    ("erase_person", "people erase"),
    ("erase_person_everywhere", "people erase"),
    ("hear_dsn", "bounces read"),
    ("list_webhooks", "webhooks list"),
    ("get_webhook", "webhooks get"),
    ("create_webhook", "webhooks create"),
    ("change_webhook", "webhooks update"),
    ("delete_webhook", "webhooks delete"),
    ("rotate_webhook_secret", "webhooks rotate-secret"),
    ("test_webhook", "webhooks test"),
    ("list_webhook_deliveries", "webhooks log"),
    ("replay_webhook_delivery", "webhooks replay"),
    ("replay_webhook", "webhooks replay"),
    ("list_templates", "templates list"),
    ("get_template", "templates get"),
    ("get_original_template", "templates get"),
    ("get_template_version", "templates get"),
    ("save_template", "templates save"),
    ("preview_template", "templates preview"),
    ("send_test_mail", "templates test"),
    ("get_test_mail", "templates test-status"),
    ("list_template_versions", "templates versions"),
    ("roll_back_template", "templates rollback"),
    ("delete_template", "templates delete"),
    ("retry_parked_mails", "templates retry"),
    ("list_dead_letters", "dead-letters list"),
    ("redrive_dead_letter", "dead-letters redrive"),
    ("discard_dead_letter", "dead-letters discard"),
    ("list_captured_mails", "inbox list"),
    ("download_captured_mail", "inbox get"),
    ("doit_invite_user", "invite-user"),
    ("get_liveness", "health"),
];

/// Operations that have no command, and why.
const NONE: [(&str, &str); 11] = [
    ("revoke_invitation_by_post", "the same as revoke_invitation, for clients without DELETE"),
    ("jobsim_invite_member", "a contract: for clients that exist already"),
    ("users_organizations_invite", "a contract"),
    ("goldleaf_invite_users", "a contract"),
    ("goldleaf_invite_users_below_api", "a contract"),
    ("hear_ses", "only the provider can sign it"),
    ("hear_sendgrid", "only the provider can sign it"),
    ("hear_postmark", "only the provider knows its login"),
    ("hear_mailgun", "only the provider can sign it"),
    ("get_readiness", "a probe: for what starts and stops processes"),
    ("get_metrics", "for Prometheus"),
];

/// What the document that the program prints has.
fn documented() -> Vec<String> {
    let document: Value = serde_json::from_str(&welcomat("openapi").run().good()).unwrap();
    let paths = document["paths"].as_object().unwrap().values();
    let operations = paths.flat_map(|path| path.as_object().unwrap().values());
    let ids = operations.filter_map(|operation| operation["operationId"].as_str());
    ids.map(str::to_owned).collect()
}

#[test]
fn every_operation_has_a_command_or_a_reason() {
    let listed: BTreeMap<&str, &str> = COMMAND.into_iter().chain(NONE).collect();
    assert_eq!(listed.len(), COMMAND.len() + NONE.len(), "one is listed twice");
    let documented = documented();
    let documented: BTreeSet<&str> = documented.iter().map(String::as_str).collect();
    assert_eq!(listed.keys().copied().collect::<BTreeSet<_>>(), documented);
}

#[test]
fn every_command_of_the_list_is_there() {
    for (operation, command) in COMMAND {
        // The only one of them that speaks to no server of the client's options.
        let known = command == "health" || COMMANDS.contains(&command);
        assert!(known, "{operation}: welcomat {command}");
    }
}
