//! What the console shows.

use std::time::Duration;

use entity::worker;
use sea_orm::{Database, EntityTrait, IntoActiveModel};
use serde_json::json;

use super::browser::Browser;
use crate::harness::{INSTANCE_KEY, KEY, Stack, TestApp};
use crate::servers::eventually;

on_both_stacks!(
    the_overview_counts_what_became_of_mails,
    the_overview_counts_each_thing_when_it_happens,
    invitations_are_found_by_where_they_stand,
    one_invitation_is_shown_with_what_happened_to_it,
    an_operator_sees_every_organization,
    an_operator_sees_how_many_slots_there_are,
);

/// The figure that a page gives under this name.
fn figure(page: &str, name: &str) -> String {
    let (_, rest) = page.split_once(&format!("<dt>{name}</dt><dd>")).expect(name);
    rest.split('<').next().unwrap().to_owned()
}

fn figures(page: &str) -> [String; 4] {
    let names = ["invitations taken in", "mails sent", "mails failed", "mails still waiting"];
    names.map(|name| figure(page, name))
}

/// What the overview says of this minute and the `minutes` before: taken in, sent and failed.
fn last(page: &str, minutes: usize) -> Vec<[u32; 3]> {
    let (_, rows) = page.split_once("The same in numbers").unwrap();
    let rows = rows.split_once("</tbody>").unwrap().0.split("<tr><td>").skip(1);
    let row = |row: &str| {
        let mut counts = row.split("<td>").skip(1);
        [(); 3].map(|()| counts.next().unwrap().split('<').next().unwrap().parse().unwrap())
    };
    let rows: Vec<_> = rows.map(row).collect();
    assert_eq!(rows.len(), 60);
    rows[60 - minutes..].to_vec()
}

fn sum(rows: &[[u32; 3]]) -> [u32; 3] {
    rows.iter().fold([0; 3], |all, row| [0, 1, 2].map(|at| all[at] + row[at]))
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
    assert_eq!(figures(&page), ["2", "1", "1", "0"]);
    assert!(page.contains("<svg class=\"chart\""), "{page}");
    let (_, trouble) = page.split_once("Mails in trouble").unwrap();
    assert!(trouble.contains("bob@example.com") && !trouble.contains("ann@example.com"), "{page}");
    // It moves.
    app.invite("eve@example.com").await;
    eventually("the figures move", async || {
        (figures(&browser.page(&own).await)[1] == "2").then_some(())
    })
    .await;
}

async fn the_overview_counts_each_thing_when_it_happens(stack: Stack) {
    let mut app = TestApp::start_with_smtp(stack).await;
    app.sink().refuse("bob@example.com", "550 5.1.1 nobody of that name");
    let (other, _) = app.other_organization().await;
    let browser = Browser::signed_in(&app, KEY).await;
    let own = format!("/console/{}", app.organization);
    let half_an_hour = Duration::from_mins(30);
    let send_at = (app.clock.now() + half_an_hour).to_rfc3339();
    let mut paths = Vec::new();
    for email in ["ann@example.com", "bob@example.com"] {
        let made = app.post(&json!({"email": email, "send_at": send_at})).await;
        paths.push(made.header("location").unwrap().to_owned());
    }
    let page = browser.page(&own).await;
    assert_eq!((figures(&page)[0].as_str(), figures(&page)[3].as_str()), ("2", "2"));
    assert_eq!(sum(&last(&page, 5)), [2, 0, 0]);

    // What was made half an hour ago is sent, and refused, now.
    app.clock.advance(half_an_hour);
    app.until(&paths[0], "sent").await;
    app.until(&paths[1], "failed").await;
    let page = browser.page(&own).await;
    assert_eq!(sum(&last(&page, 5)), [0, 1, 1], "{page}");
    assert_eq!(sum(&last(&page, 60)), [2, 1, 1]);

    // An address that gets no mail, whether it is invited or its invitation is sent again.
    app.clock.advance(half_an_hour);
    let (status, again) = app.act(&format!("{}/resend", paths[1]), &json!({})).await;
    assert_eq!((status, &again["delivery"]["status"]), (200, &json!("suppressed")), "{again}");
    let eve = json!({"email": "eve@example.com"});
    app.act(&format!("/v1/organizations/{}/suppressions", app.organization), &eve).await;
    app.invite("eve@example.com").await;
    let page = browser.page(&own).await;
    assert_eq!(sum(&last(&page, 5)), [1, 0, 2], "{page}");

    // Each organization sees its own, operators the one that they look at.
    let operator = Browser::signed_in(&app, INSTANCE_KEY).await;
    let theirs = operator.page(&format!("/console/{other}")).await;
    assert_eq!(sum(&last(&theirs, 60)), [0, 0, 0]);
    assert_eq!(sum(&last(&operator.page(&own).await, 60)), sum(&last(&page, 60)));
    // An hour later, nothing of it is left.
    app.clock.advance(half_an_hour * 3);
    assert_eq!(sum(&last(&browser.page(&own).await, 60)), [0, 0, 0]);
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

async fn an_operator_sees_how_many_slots_there_are(stack: Stack) {
    let app = TestApp::start_with_settings(stack, &[("WELCOMAT_WORKER_CONCURRENCY", "5")]).await;
    let operator = Browser::signed_in(&app, INSTANCE_KEY).await;
    let own = format!("/console/{}", app.organization);
    let shown = async |slots: &str| {
        eventually(slots, async || {
            (figure(&operator.page(&own).await, "worker slots taken") == slots).then_some(())
        })
        .await;
    };
    shown("0 of 5").await;
    // Another one, which goes without a word.
    let present_until = app.clock.now() + Duration::from_mins(1);
    let id = domain::WorkerId::new(present_until, &mut adapters::rng()).uuid();
    let row = worker::Model { id, slots: 7, present_until };
    let db = Database::connect(&app.database_url).await.unwrap();
    worker::Entity::insert(row.into_active_model()).exec_without_returning(&db).await.unwrap();
    shown("0 of 12").await;
    app.clock.advance(Duration::from_mins(2));
    shown("0 of 5").await;
    let admin = Browser::signed_in(&app, KEY).await;
    assert!(!admin.page(&own).await.contains("worker slots"), "that is the operator's");
}
