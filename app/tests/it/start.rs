//! Starting: many processes at once on an empty database, and what a start refuses.

use adapters::settings::Settings;
use app::parts::Parts;
use futures_util::future::join_all;
use sea_orm::{ConnectionTrait, Database};

use crate::harness::Stack;
use crate::servers::FreshDatabase;

on_both_stacks!(
    processes_that_start_together_make_one_organization,
    tables_of_a_newer_version_stop_a_start_only_if_it_took_something_away,
);

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

async fn tables_of_a_newer_version_stop_a_start_only_if_it_took_something_away(stack: Stack) {
    let folder = tempfile::tempdir().unwrap();
    let database = match stack {
        Stack::Embedded => None,
        Stack::Distributed => Some(FreshDatabase::create().await),
    };
    let file = format!("sqlite://{}", folder.path().join("welcomat.db").display());
    let url = database.as_ref().map_or(file, |database| database.url.clone());
    let env = [
        ("WELCOMAT_DATA_DIR".to_owned(), folder.path().display().to_string()),
        ("WELCOMAT_DATABASE_URL".to_owned(), url.clone()),
    ];
    let start = async || {
        let settings = Settings::load(None, env.clone().into_iter()).unwrap();
        let parts = Parts::assemble(settings).await.map_err(|error| error.to_string())?;
        parts.store.close().await;
        Ok::<_, String>(())
    };
    let take = async |step: &str| {
        let newer = Database::connect(&url).await.unwrap();
        let sql = format!("INSERT INTO seaql_migrations VALUES ('{step}', 0)");
        newer.execute_unprepared(&sql).await.unwrap();
        newer.close().await.unwrap();
    };
    start().await.unwrap();
    take("m20990101_000001_add_something").await;
    start().await.unwrap();
    take("m20990102_000002_contract_something").await;
    let error = start().await.unwrap_err();
    for part in ["m20990102_000002_contract_something", "run that version, or restore the backup"] {
        assert!(error.contains(part), "{error}");
    }
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
