//! Keys behind a URL or in a file over time: new ones, withdrawn ones, and sources that are away,
//! slow or never end. The clock of these tests moves only when they move it.

use std::time::{Duration, Instant};

use api::{TokenError, TokenVerifier};
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::time::advance;

use crate::key_server::{Answer, KeyServer};
use crate::signing::{JWKS, now, signed_by, verifier};

/// Longer than the pause between two requests to the source.
const PAUSE: Duration = Duration::from_secs(11);
/// Longer than the keys count as new.
const REFRESH: Duration = Duration::from_mins(11);

/// The set of one of the test keys.
fn only(index: usize) -> String {
    let jwks: Value = serde_json::from_str(JWKS).unwrap();
    json!({"keys": [jwks["keys"][index]]}).to_string()
}

fn serving(index: usize) -> (KeyServer, TokenVerifier) {
    let server = KeyServer::start(Answer::Document(only(index)));
    let verifier = verifier(&[("JWKS", &server.url())]);
    (server, verifier)
}

async fn outcome(verifier: &TokenVerifier, kid: &str) -> Result<(), TokenError> {
    verifier.verify(&signed_by(kid), now()).await.map(|_| ())
}

#[tokio::test(start_paused = true)]
async fn an_unknown_key_is_asked_for_but_not_again_and_again() {
    let (server, verifier) = serving(0);
    assert_eq!(outcome(&verifier, "rsa").await, Ok(()));
    assert_eq!(outcome(&verifier, "rsa").await, Ok(()));
    assert_eq!(server.requests(), 1, "the keys are kept");

    server.answer(Answer::Document(JWKS.into()));
    assert_eq!(outcome(&verifier, "p256").await, Err(TokenError::UnknownKey));
    assert_eq!(server.requests(), 1, "a moment ago there was no such key");

    advance(PAUSE).await;
    assert_eq!(outcome(&verifier, "p256").await, Ok(()));
    assert_eq!(outcome(&verifier, "ed25519").await, Ok(()));
    assert_eq!(outcome(&verifier, "rsa").await, Ok(()));
    assert_eq!(server.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn old_keys_serve_while_new_ones_are_fetched() {
    let (server, verifier) = serving(0);
    assert_eq!(outcome(&verifier, "rsa").await, Ok(()));
    server.answer(Answer::Held(only(1)));
    advance(REFRESH).await;
    assert_eq!(outcome(&verifier, "rsa").await, Ok(()), "nobody waits for the server");
    server.wait_for_requests(2);
    server.release();
    assert_eq!(outcome(&verifier, "p256").await, Ok(()));
    assert_eq!(outcome(&verifier, "rsa").await, Err(TokenError::UnknownKey), "it is withdrawn");
    assert_eq!(server.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_last_keys_count_while_the_source_is_away() {
    let (server, verifier) = serving(0);
    assert_eq!(outcome(&verifier, "rsa").await, Ok(()));
    for (asked, answer) in [
        Answer::Nothing,
        Answer::Status(500, only(1)),
        Answer::Status(404, only(1)),
        Answer::Document("<html>".into()),
        Answer::Document("{\"keys\": []}".into()),
    ]
    .into_iter()
    .enumerate()
    {
        server.answer(answer);
        advance(REFRESH).await;
        assert_eq!(outcome(&verifier, "rsa").await, Ok(()));
        // This one waits until the server has answered.
        assert_eq!(outcome(&verifier, "p256").await, Err(TokenError::UnknownKey));
        assert_eq!(outcome(&verifier, "rsa").await, Ok(()));
        assert_eq!(server.requests(), asked + 2);
    }
    server.answer(Answer::Document(only(1)));
    advance(PAUSE).await;
    assert_eq!(outcome(&verifier, "p256").await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_source_that_was_never_there_is_tried_now_and_then() {
    let server = KeyServer::start(Answer::Nothing);
    let verifier = verifier(&[("JWKS", &server.url())]);
    for _ in 0..3 {
        assert_eq!(outcome(&verifier, "rsa").await, Err(TokenError::KeysUnavailable));
    }
    assert_eq!(server.requests(), 1);
    server.answer(Answer::Document(JWKS.into()));
    advance(PAUSE).await;
    assert_eq!(outcome(&verifier, "rsa").await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn many_that_ask_at_once_ask_the_source_once() {
    let (server, verifier) = serving(0);
    server.answer(Answer::Held(JWKS.into()));
    // As many as join_all polls in order: all of them wait before the server answers.
    let asking = join_all((0..30).map(|i| outcome(&verifier, ["rsa", "p256", "ed25519"][i % 3])));
    let (outcomes, ()) = tokio::join!(asking, async { server.release() });
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    assert_eq!(server.requests(), 1);

    server.answer(Answer::Document(only(0)));
    advance(PAUSE).await;
    let strangers = (0..30).map(|i| {
        let header = json!({"alg": "RS256", "kid": format!("made up {i}")}).to_string();
        format!("{}.e30.x", crate::signing::base64(&header))
    });
    let verifier = &verifier;
    let asking = strangers.map(|token| async move { verifier.verify(&token, now()).await });
    let outcomes = join_all(asking).await;
    assert!(outcomes.iter().all(|outcome| *outcome == Err(TokenError::UnknownKey)));
    assert_eq!(server.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_given_up_does_not_stop_the_fetching() {
    let (server, verifier) = serving(0);
    server.answer(Answer::Held(JWKS.into()));
    {
        let asking = std::pin::pin!(outcome(&verifier, "rsa"));
        assert!(futures_util::poll!(asking).is_pending());
    }
    server.release();
    assert_eq!(outcome(&verifier, "rsa").await, Ok(()));
    assert_eq!(server.requests(), 1);
}

#[tokio::test(start_paused = true)]
async fn keys_can_be_loaded_before_they_are_needed() {
    let (server, verifier) = serving(0);
    verifier.load_ahead();
    server.wait_for_requests(1);
    assert_eq!(outcome(&verifier, "rsa").await, Ok(()));
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let (other, _) = serving(0);
    let server = KeyServer::start(Answer::Redirect(other.url()));
    let verifier = verifier(&[("JWKS", &server.url())]);
    assert_eq!(outcome(&verifier, "rsa").await, Err(TokenError::KeysUnavailable));
    assert_eq!((server.requests(), other.requests()), (1, 0));
}

#[tokio::test]
async fn a_document_without_end_is_given_up_by_size() {
    let server = KeyServer::start(Answer::Endless);
    let verifier = verifier(&[("JWKS", &server.url())]);
    assert_eq!(outcome(&verifier, "rsa").await, Err(TokenError::KeysUnavailable));
    assert!(server.sent() < 32 * 1024 * 1024, "{} bytes", server.sent());
}

#[tokio::test]
async fn a_slow_document_is_given_up_by_time() {
    let server = KeyServer::start(Answer::Dripping);
    let verifier = verifier(&[("JWKS", &server.url())]);
    let start = Instant::now();
    assert_eq!(outcome(&verifier, "rsa").await, Err(TokenError::KeysUnavailable));
    let took = start.elapsed();
    assert!((4..15).contains(&took.as_secs()), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_file_may_be_replaced_while_the_service_runs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.json");
    std::fs::write(&path, only(0)).unwrap();
    let verifier = verifier(&[("JWKS", path.to_str().unwrap())]);
    assert_eq!(outcome(&verifier, "rsa").await, Ok(()));
    std::fs::write(&path, only(1)).unwrap();
    advance(PAUSE).await;
    assert_eq!(outcome(&verifier, "p256").await, Ok(()));
    std::fs::remove_file(&path).unwrap();
    advance(REFRESH).await;
    assert_eq!(outcome(&verifier, "rsa").await, Err(TokenError::UnknownKey));
    assert_eq!(outcome(&verifier, "p256").await, Ok(()));
}
