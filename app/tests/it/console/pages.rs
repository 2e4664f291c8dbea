//! What the console shows.

use serde_json::json;

use super::browser::Browser;
use crate::harness::{INSTANCE_KEY, KEY, Stack, TestApp};
use crate::servers::eventually;

on_both_stacks!(
    the_overview_counts_what_became_of_mails,
    invitations_are_found_by_where_they_stand,
    one_invitation_is_shown_with_what_happened_to_it,
    an_operator_sees_every_organization,
);

/// The figure that a page gives under this name.
fn figure(page: &str, name: &str) -> String {
    let (_, rest) = page.split_once(&format!("<dt>{name}</dt><dd>")).expect(name);
    rest.split('<').next().unwrap().to_owned()
}

async fn the_overview_counts_what_became_of_mails(stack: Stack) {
    let mut app = TestApp::start_with_smtp(stack).await;
    app.sink().refuse("bob@example.com", "550 5.1.1 nobody of that name");
    app.invite_and_receive("ann@example.com").await;
    let bob = app.invite("bob@example.com").await;
    app.until(&bob, "failed").await;
    let browser = Browser::signed_in(&app, KEY).await;
    let own = format!("/console/{}", app.organization);
    let page = browser.page(&own).await;
    let figures = ["made", "mail sent", "mail waiting", "mail in vain"];
    assert_eq!(figures.map(|name| figure(&page, name)), ["2", "1", "0", "1"]);
    assert!(page.contains("<svg class=\"chart\""), "{page}");
    let (_, trouble) = page.split_once("Mails in trouble").unwrap();
    assert!(trouble.contains("bob@example.com") && !trouble.contains("ann@example.com"), "{page}");
    // It moves.
    app.invite("eve@example.com").await;
    eventually("the figures move", async || {
        (figure(&browser.page(&own).await, "mail sent") == "2").then_some(())
    })
    .await;
}

async fn invitations_are_found_by_where_they_stand(stack: Stack) {
    let app = TestApp::start(stack).await;
    let (ann, _) = app.invite_and_receive("ann@example.com").await;
    let (_, _) = app.invite_and_receive("bob@example.com").await;
    app.act(&format!("{ann}/revoke"), &json!({})).await;
    let browser = Browser::signed_in(&app, KEY).await;
    let own = format!("/console/{}/invitations", app.organization);
    for (query, shows_ann, shows_bob) in [
        ("", true, true),
        ("?status=revoked&delivery_status=&email=", true, false),
        ("?status=pending&delivery_status=sent&email=", false, true),
        ("?status=&delivery_status=&email=BOB%40example.com", false, true),
    ] {
        let page = browser.page(&format!("{own}{query}")).await;
        let shown = [page.contains(">ann@example.com<"), page.contains(">bob@example.com<")];
        assert_eq!(shown, [shows_ann, shows_bob], "{query}");
    }
    let page = browser.page(&format!("{own}?status=revoked&delivery_status=&email=")).await;
    assert!(page.contains("<option selected>revoked</option>"), "{page}");
    // The first page leads to the second.
    let first = browser.page(&format!("{own}?limit=1")).await;
    let (_, rest) = first.split_once("<a href=\"?").expect("a next page");
    let next = rest.split('"').next().unwrap().replace("&amp;", "&").replace("&#x3D;", "=");
    let second = browser.page(&format!("{own}?{next}")).await;
    assert!(second.contains(">ann@example.com<") && !second.contains(">bob@example.com<"));
    assert_eq!(browser.open(&format!("{own}?status=open")).await.status, 422);
}

async fn one_invitation_is_shown_with_what_happened_to_it(stack: Stack) {
    let mut app = TestApp::start_with_smtp(stack).await;
    app.sink().refuse("ann@example.com", "451 4.7.1 try again later");
    let path = app.invite("ann@example.com").await;
    app.until(&path, "retrying").await;
    let browser = Browser::signed_in(&app, KEY).await;
    let id = path.rsplit('/').next().unwrap();
    let page = browser.page(&format!("/console/{}/invitations/{id}", app.organization)).await;
    for shown in ["invitation.created", "deferred", "451", "Send again", "Revoke"] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
}

async fn an_operator_sees_every_organization(stack: Stack) {
    let app = TestApp::start(stack).await;
    let (other, _) = app.other_organization().await;
    let operator = Browser::signed_in(&app, INSTANCE_KEY).await;
    let first = operator.page("/console?limit=1").await;
    assert!(first.contains("Acme") && !first.contains(&other), "{first}");
    let all = operator.page("/console").await;
    assert!(all.contains(&format!("/console/{other}\">Other</a>")), "{all}");
    assert!(operator.page(&format!("/console/{other}")).await.contains("Other"));
}
