//! People who want to see what is held about them, or to be forgotten.

mod backup;
mod columns;
mod dump;
mod erased;
mod racing;
mod retention;

use serde_json::{Value, json};

use crate::harness::{Stack, TestApp, text};
use crate::servers::eventually;

on_both_stacks!(
    no_mail_goes_out_to_whoever_is_erased,
    what_is_wrong_is_said_and_nobody_is_found_twice,
    those_who_were_erased_are_no_person_together,
);

/// The path of what is done with a person in the organization.
fn path(organization: &str, what: &str) -> String {
    format!("/v1/organizations/{organization}/people/{what}")
}

async fn erase(app: &TestApp, email: &str) -> (u16, Value) {
    app.act(&path(&app.organization, "erase"), &json!({ "email": email })).await
}

async fn no_mail_goes_out_to_whoever_is_erased(stack: Stack) {
    let one = [("WELCOMAT_BATCHES_MAILS_AHEAD", "1"), ("WELCOMAT_WORKER_PREFETCH", "1")];
    let mut app = TestApp::start_with_settings(stack, &one).await;
    // One for later, one that a worker has in hand, one that waits in a batch behind it.
    let later = app.clock.now() + std::time::Duration::from_hours(1);
    let scheduled = app.post(&json!({"email": "later@example.com", "send_at": later})).await;
    assert_eq!(scheduled.status, 201, "{}", scheduled.text());
    app.sink().hold(true);
    let hand = app.invite("hand@example.com").await;
    eventually("a worker sends it", async || (app.sink().count() == 1).then_some(())).await;
    let rows = "email,first_name\nfirst@example.com,F\nwaits@example.com,W\nlast@example.com,L\n";
    let batch = crate::batches::taken(&app, crate::batches::CSV, rows).await;

    let (status, problem) = erase(&app, "hand@example.com").await;
    assert_eq!((status, &problem["code"]), (409, &json!("sending_now")), "{problem}");
    assert_eq!(app.get(&hand).await["email"], "hand@example.com", "nothing has changed");
    let (status, later) = erase(&app, "LATER@example.com").await;
    assert_eq!((status, &later["invitations"], &later["revoked"]), (200, &json!(1), &json!(1)));
    let (status, waits) = erase(&app, "waits@example.com").await;
    assert_eq!((status, &waits["batch_rows"]), (200, &json!(1)), "{waits}");
    app.sink().hold(false);

    crate::batches::finished(&app, &batch).await;
    let rows = crate::batches::rows(&app, &batch).await;
    let told: Vec<_> = rows.iter().map(|row| (row.3.as_str(), row.4.as_str())).collect();
    assert_eq!(told[0], ("created", ""));
    assert_eq!(told[2], ("created", ""));
    assert!([("invalid", "erased"), ("created", "")].contains(&told[1]), "{told:?}");
    assert_eq!(rows[1].2, "erased@erased.invalid");
    let (_, again) = app.act(&format!("{batch}/retry"), &json!({})).await;
    assert_eq!(again["rows"]["waiting"], 0, "{again}");

    app.until(&hand, "sent").await;
    app.clock.advance(std::time::Duration::from_hours(2));
    app.invite_and_receive("afterwards@example.com").await;
    for (email, mails) in [("later", 0), ("waits", 0), ("hand", 1), ("last", 1)] {
        let email = format!("{email}@example.com");
        assert_eq!(app.mails_to(&email).await.len(), mails, "{email}");
    }
    let (status, hands) = erase(&app, "hand@example.com").await;
    assert_eq!((status, &hands["revoked"]), (200, &json!(1)), "{hands}");
}

async fn what_is_wrong_is_said_and_nobody_is_found_twice(stack: Stack) {
    let app = TestApp::start(stack).await;
    for what in ["export", "erase"] {
        let own = path(&app.organization, what);
        for body in [json!({}), json!({"email": "ann"}), json!({"email": "a@example.com", "x": 1})]
        {
            let (status, problem) = app.act(&own, &body).await;
            assert_eq!((status, &problem["code"]), (422, &json!("validation_failed")), "{body}");
        }
        let everywhere = format!("/v1/people/{what}");
        let (status, problem) = app.act(&everywhere, &json!({"email": "a@example.com"})).await;
        assert_eq!((status, &problem["code"]), (403, &json!("instance_key_required")));
        let (_, other) = app.other_organization().await;
        let answer = other.post(&own, &json!({"email": "a@example.com"})).await.unwrap();
        assert_eq!(answer.status, 404, "{}", answer.text());
        // Whoever is nobody is not found, however many of them there are.
        let (status, nobody) = app.act(&own, &json!({"email": "erased@erased.invalid"})).await;
        assert_eq!(status, 200, "{nobody}");
    }
    let (_, unknown) = erase(&app, "unknown@example.com").await;
    assert_eq!((&unknown["invitations"], &unknown["user"]), (&json!(0), &json!(false)));
    // What this process has captured is forgotten as well; an SMTP server's mails are not ours.
    let captured = u64::from(stack == Stack::Embedded);
    let (invitation, _) = app.invite_and_receive("ann@example.com").await;
    app.invite_and_receive("joann@example.com").await;
    let own = path(&app.organization, "export");
    let (_, export) = app.act(&own, &json!({"email": "Ann@example.com"})).await;
    assert_eq!(export["captured_mails"].as_array().unwrap().len() as u64, captured, "{export}");
    assert_eq!(text(&export["invitations"][0]["deliveries"][0]["status"]), "sent");
    let (_, erased) = erase(&app, "ann@example.com").await;
    assert_eq!(erased["captured_mails"], json!(captured), "{erased}");
    assert_eq!(app.mails_to("joann@example.com").await.len(), 1);
    let left = app.get(&invitation).await;
    assert_eq!(
        (text(&left["email"]), text(&left["status"])),
        ("erased@erased.invalid".into(), "revoked".into())
    );
}

async fn those_who_were_erased_are_no_person_together(stack: Stack) {
    let app = TestApp::start(stack).await;
    let suppressions = format!("/v1/organizations/{}/suppressions", app.organization);
    for name in ["ann", "bob"] {
        let email = format!("{name}@example.com");
        app.invite_and_receive(&email).await;
        assert_eq!(app.act(&suppressions, &json!({ "email": email })).await.0, 200);
        assert_eq!(erase(&app, &email).await.0, 200);
    }
    // Asked for by the name that all of them have.
    let nobody = json!({"email": "erased@erased.invalid"});
    let (status, found) = app.act(&path(&app.organization, "export"), &nobody).await;
    assert_eq!(status, 200, "{found}");
    for part in ["invitations", "announcements", "events", "suppressions", "captured_mails"] {
        assert_eq!(found[part], json!([]), "{part}");
    }
    let (status, erased) = erase(&app, "erased@erased.invalid").await;
    assert_eq!((status, &erased["invitations"]), (200, &json!(0)));
    // And everybody else is still served.
    app.invite_and_receive("carl@example.com").await;
}
