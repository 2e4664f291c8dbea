//! `/console`: the pages for those who run the service. They do what the API does, in a browser.
//!
//! Whoever is let in has the rights of the key that they signed in with. Every change is a POST whose
//! form carries a token of the session, so that no other site can send it ([`Signed`]).

mod batch;
mod batches;
mod branding;
mod cookie;
mod dead_letters;
mod invitation;
mod invitations;
mod keys;
mod organizations;
mod overview;
mod session;
mod show;
mod sign_in;
mod suppressions;
mod templates;
mod upload;
mod visitor;
mod webhook;
mod webhooks;

use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig};

use super::{get, resource};

use show::{done, page};
use visitor::{Nothing, Signed, Visitor};

/// Adds the routes.
pub fn configure(config: &mut ServiceConfig) {
    config
        // Before the scope that wants a session: whoever signs in has none yet.
        .service(
            resource("/console/sign-in", "GET, HEAD, POST")
                .route(get().to(sign_in::show))
                .route(web::post().to(sign_in::sign_in)),
        )
        .service(
            web::scope("/console")
                .configure(inside)
                .default_service(web::to(super::not_found))
                .wrap(from_fn(session::require)),
        );
}

fn inside(config: &mut ServiceConfig) {
    const INVITATION: &str = "/{organization}/invitations/{invitation}";
    const BATCH: &str = "/{organization}/batches/{batch}";
    const WEBHOOK: &str = "/{organization}/webhooks/{webhook}";
    let read = |path: &str| resource(path, "GET, HEAD");
    let change = |path: &str| resource(path, "POST");
    let both = |path: &str| resource(path, "GET, HEAD, POST");
    config
        .service(read("").route(get().to(organizations::list)))
        .service(change("/sign-out").route(web::post().to(sign_in::sign_out)))
        // Before what an organization could be called.
        .service(read("/dead-letters").route(get().to(dead_letters::list_all)))
        .service(
            change("/dead-letters/{dead_letter}/redrive")
                .route(web::post().to(dead_letters::redrive_any)),
        )
        .service(
            change("/dead-letters/{dead_letter}/discard")
                .route(web::post().to(dead_letters::discard_any)),
        )
        .service(read("/{organization}").route(get().to(overview::show)))
        .service(
            both("/{organization}/invitations")
                .route(get().to(invitations::list))
                .route(web::post().to(invitations::invite)),
        )
        .service(read(INVITATION).route(get().to(invitation::show)))
        .service(change(&format!("{INVITATION}/resend")).route(web::post().to(invitation::resend)))
        .service(change(&format!("{INVITATION}/extend")).route(web::post().to(invitation::extend)))
        .service(change(&format!("{INVITATION}/revoke")).route(web::post().to(invitation::revoke)))
        .service(
            both("/{organization}/batches")
                .route(get().to(batches::list))
                .route(web::post().to(batches::take)),
        )
        .service(read(BATCH).route(get().to(batch::show)))
        .service(read(&format!("{BATCH}/rows.csv")).route(get().to(batch::rows_as_csv)))
        .service(change(&format!("{BATCH}/retry")).route(web::post().to(batch::retry)))
        .service(change(&format!("{BATCH}/cancel")).route(web::post().to(batch::cancel)))
        .service(
            both("/{organization}/templates")
                .route(get().to(templates::show))
                .route(web::post().to(templates::save)),
        )
        .service(
            change("/{organization}/templates/preview").route(web::post().to(templates::preview)),
        )
        .service(
            change("/{organization}/templates/test-send")
                .route(web::post().to(templates::test_send)),
        )
        .service(
            change("/{organization}/templates/rollback")
                .route(web::post().to(templates::roll_back)),
        )
        .service(
            change("/{organization}/templates/delete").route(web::post().to(templates::delete)),
        )
        .service(change("/{organization}/templates/retry").route(web::post().to(templates::retry)))
        .service(
            both("/{organization}/branding")
                .route(get().to(branding::show))
                .route(web::post().to(branding::save)),
        )
        .service(
            change("/{organization}/branding/preview").route(web::post().to(branding::preview)),
        )
        .service(read("/{organization}/webhooks").route(get().to(webhooks::list)))
        .service(read(WEBHOOK).route(get().to(webhook::show)))
        .service(change(&format!("{WEBHOOK}/test")).route(web::post().to(webhook::test)))
        .service(change(&format!("{WEBHOOK}/enable")).route(web::post().to(webhook::enable)))
        .service(change(&format!("{WEBHOOK}/disable")).route(web::post().to(webhook::disable)))
        .service(
            change(&format!("{WEBHOOK}/deliveries/{{webhook_delivery}}/replay"))
                .route(web::post().to(webhook::replay)),
        )
        .service(read("/{organization}/dead-letters").route(get().to(dead_letters::list)))
        .service(
            change("/{organization}/dead-letters/{dead_letter}/redrive")
                .route(web::post().to(dead_letters::redrive)),
        )
        .service(
            change("/{organization}/dead-letters/{dead_letter}/discard")
                .route(web::post().to(dead_letters::discard)),
        )
        .service(
            both("/{organization}/suppressions")
                .route(get().to(suppressions::list))
                .route(web::post().to(suppressions::add)),
        )
        .service(
            change("/{organization}/suppressions/lift").route(web::post().to(suppressions::lift)),
        )
        .service(
            both("/{organization}/keys")
                .route(get().to(keys::list))
                .route(web::post().to(keys::create)),
        )
        .service(
            change("/{organization}/keys/{api_key}/revoke").route(web::post().to(keys::revoke)),
        );
}
