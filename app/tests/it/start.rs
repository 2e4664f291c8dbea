//! Starting: many processes at once on an empty database, and what a start refuses.

use adapters::settings::Settings;
use app::parts::Parts;
use futures_util::future::join_all;

use crate::harness::Stack;
use crate::servers::FreshDatabase;

on_both_stacks!(processes_that_start_together_make_one_organization);

async fn processes_that_start_together_make_one_organization(stack: Stack) {
    let folder = tempfile::tempdir().unwrap();
    let database = match stack {
        Stack::Embedded => None,
        Stack::Distributed => Some(FreshDatabase::create().await),
    };
    let mut env = vec![
        ("WELCOMAT_DATA_DIR", folder.path().display().to_string()),
        ("WELCOMAT_DATABASE_MAX_CONNECTIONS", "2".to_owned()),
    ];
    env.extend(database.as_ref().map(|database| ("WELCOMAT_DATABASE_URL", database.url.clone())));
    let env: Vec<_> = env.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let starts = (0..5).map(|_| {
        let settings = Settings::load(None, env.clone().into_iter()).unwrap();
        tokio::spawn(async move {
            let parts = Parts::assemble(settings).await.unwrap();
            let key = parts.bootstrap().await.unwrap();
            parts.store.close().await;
            key.is_some()
        })
    });
    let made = join_all(starts).await.into_iter().map(Result::unwrap).filter(|made| *made).count();
    assert_eq!(made, 1, "one of them makes the organization and shows its key");
    if let Some(database) = database {
        database.remove().await;
    }
}

#[tokio::test]
async fn a_key_set_that_is_missing_stops_the_start() {
    let env = [("WELCOMAT_JWKS".to_owned(), "/nowhere/keys.json".to_owned())];
    let settings = Settings::load(None, env.into_iter()).unwrap();
    let error = Parts::assemble(settings).await.err().unwrap().to_string();
    let sentence = "jwks names the file /nowhere/keys.json, which cannot be read: ";
    assert!(error.starts_with(sentence), "{error}");
}
