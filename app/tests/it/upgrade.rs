//! A database of an earlier version: brought up to date with what is in it.

use adapters::clock::Clock;
use adapters::settings::Settings;
use adapters::store::Store;
use domain::{KeyRole, SecretHash};
use migration::{Migrator, MigratorTrait};
use sea_orm::prelude::Uuid;
use sea_orm::sea_query::{Query, SimpleExpr};
use sea_orm::{ConnectionTrait, Database, DatabaseConnection};

use crate::harness::{KEY, Stack};
use crate::servers::FreshDatabase;

on_both_stacks!(keys_of_the_first_version_stay_good);

async fn keys_of_the_first_version_stay_good(stack: Stack) {
    let folder = tempfile::tempdir().unwrap();
    let database = match stack {
        Stack::Embedded => None,
        Stack::Distributed => Some(FreshDatabase::create().await),
    };
    let file = format!("sqlite://{}?mode=rwc", folder.path().join("old.db").display());
    let url = database.as_ref().map_or(file, |database| database.url.clone());
    let old = Database::connect(&url).await.unwrap();
    Migrator::up(&old, Some(1)).await.unwrap();
    fill(&old).await;
    old.close().await.unwrap();

    let env = [("WELCOMAT_DATABASE_URL".to_owned(), url)];
    let settings = Settings::load(None, env.into_iter()).unwrap();
    let store = Store::connect(&settings, Clock::new()).await.unwrap();
    store.migrate().await.unwrap();
    let caller = store.authenticate(SecretHash::of_exact(KEY)).await.unwrap();
    let caller = caller.expect("the key is known");
    assert_eq!(caller.role, KeyRole::Member);
    assert_eq!(caller.user.map(|user| user.email).as_deref(), Some("ann@example.com"));
    let organization = caller.organization.expect("it has one");
    assert_eq!(organization.roles.default.as_str(), "member");
    let members = store.members(organization.id, 0, 10).await.unwrap();
    assert_eq!(members[0].username, format!("user-{}", members[0].user_number));
    store.close().await;
    if let Some(database) = database {
        database.remove().await;
    }
}

/// As the first version did on its first start.
async fn fill(old: &DatabaseConnection) {
    let now = Clock::new().now();
    let [organization, user, place, key] = [1, 2, 3, 4].map(Uuid::from_u128);
    let times: [(&str, SimpleExpr); 2] = [("created_at", now.into()), ("updated_at", now.into())];
    insert(
        old,
        "organization",
        [("id", organization.into()), ("name", "Acme".into())]
            .into_iter()
            .chain([("slug", "acme".into())])
            .chain(times.clone()),
    )
    .await;
    insert(
        old,
        "user",
        [
            ("id", user.into()),
            ("email", "ann@example.com".into()),
            ("email_normalized", "ann@example.com".into()),
            ("status", "active".into()),
            ("must_change_password", false.into()),
        ]
        .into_iter()
        .chain(times.clone()),
    )
    .await;
    insert(
        old,
        "membership",
        [
            ("id", place.into()),
            ("organization_id", organization.into()),
            ("user_id", user.into()),
            ("role", "admin".into()),
            ("status", "active".into()),
        ]
        .into_iter()
        .chain(times),
    )
    .await;
    insert(
        old,
        "api_key",
        [
            ("id", key.into()),
            ("organization_id", organization.into()),
            ("user_id", user.into()),
            ("name", "first key".into()),
            ("role", "member".into()),
            ("key_hash", SecretHash::of_exact(KEY).to_vec().into()),
            ("hint", "wlc_…".into()),
            ("created_at", now.into()),
        ]
        .into_iter(),
    )
    .await;
}

async fn insert(
    database: &DatabaseConnection,
    table: &'static str,
    row: impl Iterator<Item = (&'static str, SimpleExpr)>,
) {
    let (columns, values): (Vec<_>, Vec<_>) = row.unzip();
    let insert = Query::insert().into_table(table).columns(columns).values_panic(values).to_owned();
    database.execute(&insert).await.unwrap();
}
