//! What is served is documented, and what is documented is served.

use std::collections::BTreeSet;

use actix_web::introspection::IntrospectionTree;
use actix_web::web::{self, Data};
use actix_web::{App, HttpResponse, test};
use adapters::settings::Settings;
use serde_json::Value;

use super::{document, operations};
use crate::routes;

/// For people and their browsers, or the document itself: no part of the API.
const PAGES: [&str; 66] = [
    "GET /",
    "GET /assets/pages.css",
    "GET /assets/pages.js",
    "GET /i/{token}",
    "POST /i/{token}/accept",
    "GET /i/{token}/decline",
    "POST /i/{token}/decline",
    "GET /i/{token}/unexpected",
    "POST /i/{token}/unexpected",
    "POST /i/{token}/new-link",
    "GET /inbox",
    "GET /inbox/state",
    "POST /inbox/delete",
    "GET /inbox/messages/{message}",
    "GET /inbox/messages/{message}/html",
    "POST /inbox/messages/{message}/delete",
    "GET /assets/inbox.js",
    "GET /assets/console.css",
    "GET /assets/console.js",
    "GET /assets/accent/{accent}.css",
    "GET /assets/logo/{organization}/{hash}",
    "GET /console/sign-in",
    "POST /console/sign-in",
    "POST /console/sign-out",
    "GET /console",
    "GET /console/dead-letters",
    "POST /console/dead-letters/{dead_letter}/redrive",
    "POST /console/dead-letters/{dead_letter}/discard",
    "GET /console/{organization}",
    "GET /console/{organization}/invitations",
    "POST /console/{organization}/invitations",
    "GET /console/{organization}/invitations/{invitation}",
    "POST /console/{organization}/invitations/{invitation}/resend",
    "POST /console/{organization}/invitations/{invitation}/extend",
    "POST /console/{organization}/invitations/{invitation}/revoke",
    "GET /console/{organization}/batches",
    "POST /console/{organization}/batches",
    "GET /console/{organization}/batches/{batch}",
    "GET /console/{organization}/batches/{batch}/rows.csv",
    "POST /console/{organization}/batches/{batch}/retry",
    "POST /console/{organization}/batches/{batch}/cancel",
    "GET /console/{organization}/templates",
    "POST /console/{organization}/templates",
    "POST /console/{organization}/templates/preview",
    "POST /console/{organization}/templates/test-send",
    "POST /console/{organization}/templates/rollback",
    "POST /console/{organization}/templates/delete",
    "POST /console/{organization}/templates/retry",
    "GET /console/{organization}/branding",
    "POST /console/{organization}/branding",
    "POST /console/{organization}/branding/preview",
    "GET /console/{organization}/webhooks",
    "GET /console/{organization}/webhooks/{webhook}",
    "POST /console/{organization}/webhooks/{webhook}/test",
    "POST /console/{organization}/webhooks/{webhook}/enable",
    "POST /console/{organization}/webhooks/{webhook}/disable",
    "POST /console/{organization}/webhooks/{webhook}/deliveries/{webhook_delivery}/replay",
    "GET /console/{organization}/suppressions",
    "POST /console/{organization}/suppressions",
    "POST /console/{organization}/suppressions/lift",
    "GET /console/{organization}/dead-letters",
    "POST /console/{organization}/dead-letters/{dead_letter}/redrive",
    "POST /console/{organization}/dead-letters/{dead_letter}/discard",
    "GET /console/{organization}/keys",
    "POST /console/{organization}/keys",
    "POST /console/{organization}/keys/{api_key}/revoke",
];
const DOCS: [&str; 4] =
    ["GET /openapi.json", "GET /docs", "GET /docs/start.js", "GET /docs/scalar.js"];

#[tokio::test]
async fn the_document_has_all_routes_and_no_others() {
    let document = document();
    let documented =
        operations(&document).into_iter().map(|(method, path, _)| format!("{method} {path}"));
    let others = PAGES.iter().chain(&DOCS).map(|&route| route.to_owned());
    let expected: BTreeSet<String> = documented.chain(others).collect();
    let served = served().await;
    let undocumented: Vec<_> = served.difference(&expected).collect();
    let unserved: Vec<_> = expected.difference(&served).collect();
    assert!(undocumented.is_empty(), "not in the document: {undocumented:#?}");
    assert!(unserved.is_empty(), "not served: {unserved:#?}");
}

/// Every route of the router, as the router tells it. HEAD is left out: it goes with GET.
async fn served() -> BTreeSet<String> {
    const PROBE: &str = "/probe";
    let tell = async |tree: Data<IntrospectionTree>| HttpResponse::Ok().body(tree.report_as_json());
    let settings = Settings::load(None, std::iter::empty()).unwrap();
    let app = App::new()
        .service(web::resource(PROBE).route(web::get().to(tell)))
        .configure(|config| routes::configure(config, &settings.contracts));
    let app = test::init_service(app).await;
    let report = test::call_and_read_body_json::<_, _, Vec<Value>>(
        &app,
        test::TestRequest::get().uri(PROBE).to_request(),
    )
    .await;
    let mut served = BTreeSet::new();
    for item in report.iter().filter(|item| item["resource_type"] == "resource") {
        let path = item["full_path"].as_str().unwrap();
        let methods = item["methods"].as_array().unwrap();
        assert!(!methods.is_empty(), "{path} answers any method");
        for method in methods.iter().filter_map(Value::as_str) {
            if method != "HEAD" && path != PROBE {
                served.insert(format!("{method} {path}"));
            }
        }
    }
    served
}
