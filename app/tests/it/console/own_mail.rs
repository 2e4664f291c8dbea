//! The mail in an organization's own words and files of people, without a script.

use serde_json::json;

use super::browser::Browser;
use crate::harness::{KEY, Stack, TestApp};
use crate::servers::eventually;

on_both_stacks!(a_template_is_previewed_saved_and_rolled_back, a_file_of_people_is_taken_in,);

const HTML: &str = "<style>p { color: red }</style>\r\n<p>{{accept_url}}</p><script>x</script>";

async fn a_template_is_previewed_saved_and_rolled_back(stack: Stack) {
    let app = TestApp::start(stack).await;
    let browser = Browser::signed_in(&app, KEY).await;
    let own = format!("/console/{}/templates", app.organization);
    let page = browser.page(&own).await;
    assert!(page.contains("{{#&gt; mail/layout.html}}"), "begins with what there is: {page}");
    let typed = |subject| {
        [("locale", "de"), ("subject", subject), ("html", HTML), ("text", "{{accept_url}}\n")]
    };
    let to = ("to", "ada@example.com");
    let fields: Vec<_> = typed("</textarea>{{nobody}}").into_iter().chain([to]).collect();
    let wrong = browser.submit(&own, &fields).await;
    let page = wrong.text();
    assert_eq!(wrong.status, 422, "{page}");
    assert!(page.contains("subject: line 1, column 12: there is no variable"), "{page}");
    assert!(page.contains("&lt;/textarea&gt;{{nobody}}"), "what was typed is there: {page}");
    assert!(page.contains("value=\"ada@example.com\""), "and whom a test is for: {page}");
    let preview = format!("{own}/preview");
    let shown = browser.submit(&preview, &typed("one")).await;
    let policy = shown.header("content-security-policy").unwrap_or_default().to_owned();
    assert!(shown.status == 200 && shown.text().contains("/i/sample"), "{}", shown.text());
    // Whatever is in it has no rights, not even in a tab of its own.
    assert!(policy.starts_with("sandbox allow-popups") && !policy.contains("script"), "{policy}");
    let text: Vec<_> = typed("one").into_iter().chain([("part", "text")]).collect();
    let shown = browser.submit(&preview, &text).await.text();
    assert!(shown.starts_with("Subject: one\n\nhttps://"), "{shown}");
    let refused = browser.submit(&preview, &typed("{{nobody}}")).await;
    assert!(refused.header("content-type").unwrap().starts_with("text/plain"));
    assert!(refused.text().contains("there is no variable"), "{}", refused.text());

    // What became of it is told in a frame, and the editor stays as it is.
    let sent = async |subject, to| {
        let fields: Vec<_> = typed(subject).into_iter().chain([("to", to)]).collect();
        browser.submit(&format!("{own}/test-send"), &fields).await
    };
    let told = sent("draft", "ada@example.com").await;
    assert!(told.header("content-type").unwrap().starts_with("text/plain"));
    assert!(told.text().contains("has taken the mail to ada@example.com"), "{}", told.text());
    assert_eq!(app.mails_to("ada@example.com").await[0].subject, "draft");
    for (subject, to, why) in [
        ("draft", " ", "to is required"),
        ("{{nobody}}", "ada@example.com", "there is no variable"),
    ] {
        let told = sent(subject, to).await.text();
        assert!(told.contains(why), "{told}");
    }
    assert_eq!(app.mails_to("ada@example.com").await.len(), 1);

    for subject in ["one", "two"] {
        browser.done(&own, &typed(subject)).await;
    }
    let saved = app.get(&format!("/v1/organizations/{}/templates/de", app.organization)).await;
    assert_eq!((&saved["version"], &saved["subject"]), (&json!(2), &json!("two")));
    assert_eq!(saved["html"], HTML.replace("\r\n", "\n"));
    let first = browser.page(&format!("{own}?locale=de&version=1")).await;
    assert!(first.contains("value=\"one\""), "{first}");
    let chosen = [("locale", "de"), ("version", "1")];
    let page = browser.done(&format!("{own}/rollback"), &chosen).await;
    assert!(page.contains("Mails are made from that version again"), "{page}");
    let current = app.get(&format!("/v1/organizations/{}/templates/de", app.organization)).await;
    assert_eq!(current["version"], 1);
    browser.done(&format!("{own}/delete"), &chosen).await;
    browser.done(&format!("{own}/retry"), &[]).await;
    let left = app.get(&format!("/v1/organizations/{}/templates", app.organization)).await;
    assert_eq!(left["data"], json!([]));
    assert_eq!(browser.open(&format!("{own}?locale=..%2Fx")).await.status, 400);
}

async fn a_file_of_people_is_taken_in(stack: Stack) {
    let app = TestApp::start(stack).await;
    let browser = Browser::signed_in(&app, KEY).await;
    let own = format!("/console/{}/batches", app.organization);
    let people = "email\nann@example.com\nnobody\n";
    let forged = browser.upload(&own, Some("0000"), "atomic", people).await;
    assert_eq!(forged.status, 400, "{}", forged.text());
    let refused = browser.upload(&own, None, "atomic", people).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text().contains("rows[2]"), "{}", refused.text());
    assert!(refused.text().contains("<option value=\"atomic\" selected>"), "{}", refused.text());
    let none = browser.upload(&own, None, "partial", "").await;
    assert!(none.status == 422 && none.text().contains("file is empty"), "{}", none.text());
    assert_eq!(app.get(&app.invitations()).await["data"], json!([]), "nobody is invited so far");
    let taken = browser.upload(&own, None, "partial", people).await;
    let place = taken.header("location").expect("a place").to_owned();
    assert_eq!(taken.status, 303, "{}", taken.text());
    let batch = place.split('?').next().unwrap();
    let page = eventually("no row waits", async || {
        let page = browser.page(batch).await;
        page.contains("2 of 2 rows are done").then_some(page)
    })
    .await;
    assert!(page.contains("nobody") && page.contains("people.csv"), "{page}");
    let csv = browser.open(&format!("{batch}/rows.csv")).await;
    assert!(csv.status == 200 && csv.text().contains("ann@example.com,created"), "{}", csv.text());
    browser.done(&format!("{batch}/retry"), &[]).await;
    eventually("no row waits again", async || {
        browser.page(batch).await.contains("2 of 2 rows are done").then_some(())
    })
    .await;
    let page = browser.done(&format!("{batch}/cancel"), &[]).await;
    assert!(page.contains("The batch was finished already"), "{page}");
    assert!(browser.page(&own).await.contains("people.csv"));
    let invited = app.get(&app.invitations()).await;
    assert_eq!(invited["data"][0]["email"], "ann@example.com");
}
