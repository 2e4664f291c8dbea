//! A database of an earlier version: brought up to date with what is in it.

use std::collections::{BTreeMap, BTreeSet};

use adapters::clock::Clock;
use adapters::settings::Settings;
use adapters::store::Store;
use domain::{KeyRole, SecretHash, Timestamp};
use entity::{invitation, tally};
use migration::{Migrator, MigratorTrait};
use sea_orm::prelude::Uuid;
use sea_orm::sea_query::{Query, SimpleExpr};
use sea_orm::{
    ColumnTrait, ConnectionTrait, Database, DatabaseConnection, DbBackend, EntityTrait,
    QueryFilter, QueryResult, Set, Statement,
};
use serde_json::json;

use crate::harness::{KEY, Stack, TestApp, block_on};
use crate::servers::FreshDatabase;

on_both_stacks!(
    keys_of_the_first_version_stay_good,
    whoever_was_accepted_before_is_not_new,
    addresses_that_were_suppressed_before_are_listed,
    links_that_were_sent_before_open,
);

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

/// So that programs of the version before work on the tables of this one.
#[test]
fn every_step_only_adds() {
    block_on(async {
        let database = FreshDatabase::create().await;
        let db = Database::connect(&database.url).await.unwrap();
        let mut before = Columns::new();
        let mut broken = Vec::new();
        for step in Migrator::migrations() {
            Migrator::up(&db, Some(1)).await.unwrap();
            let after = columns(&db).await;
            if !step.name().contains(migration::CONTRACTION) {
                let name = step.name();
                broken.extend(harm(&before, &after).map(|harm| format!("{name}: {harm}")));
            }
            before = after;
        }
        assert!(before.contains_key(&("invitation".to_owned(), "status".to_owned())));
        assert!(broken.is_empty(), "{broken:#?}");
        db.close().await.unwrap();
        database.remove().await;
    });
}

/// By table and name: the type, and whether a row may leave it out.
type Columns = BTreeMap<(String, String), (String, bool)>;

async fn columns(db: &DatabaseConnection) -> Columns {
    let sql = "SELECT table_name::text, column_name::text, data_type::text, \
               is_nullable = 'YES' OR column_default IS NOT NULL \
               FROM information_schema.columns WHERE table_schema = 'public'";
    let rows = db.query_all_raw(Statement::from_string(DbBackend::Postgres, sql)).await.unwrap();
    let text = |row: &QueryResult, at| row.try_get_by_index::<String>(at).unwrap();
    let column = |row: &QueryResult| {
        let optional: bool = row.try_get_by_index(3).unwrap();
        ((text(row, 0), text(row, 1)), (text(row, 2), optional))
    };
    rows.iter().map(column).collect()
}

/// What a program that knows the columns before cannot live with.
fn harm<'a>(before: &'a Columns, after: &'a Columns) -> impl Iterator<Item = String> + 'a {
    let tables: BTreeSet<&String> = before.keys().map(|(table, _)| table).collect();
    let lost = before.iter().filter_map(|(name, (kind, optional))| match after.get(name) {
        None => Some(format!("{name:?} is gone")),
        Some((now, _)) if now != kind => Some(format!("{name:?} is {now} instead of {kind}")),
        Some((_, false)) if *optional => Some(format!("{name:?} has to be given")),
        Some(_) => None,
    });
    let added = after.iter().filter(|(name, _)| !before.contains_key(*name));
    let demanded = added.filter(move |(name, (_, optional))| !optional && tables.contains(&name.0));
    lost.chain(demanded.map(|(name, _)| format!("{name:?} is new and has to be given")))
}

async fn whoever_was_accepted_before_is_not_new(stack: Stack) {
    // The second version's database has what matters here in the form of the third.
    let app = TestApp::start(stack).await;
    let (_, mail) = app.invite_and_receive("ann@example.com").await;
    let body = json!({"token": mail.token(), "password": "correct horse battery staple"});
    assert_eq!(app.act("/v1/invitations/accept", &body).await.0, 200);
    let database = Database::connect(&app.database_url).await.unwrap();
    let since = u32::try_from(Migrator::migrations().len() - 2).unwrap();
    Migrator::down(&database, Some(since)).await.unwrap();
    Migrator::up(&database, None).await.unwrap();
    let counted = tally::Entity::find().one(&database).await.unwrap().unwrap();
    assert_eq!((counted.kind.as_str(), counted.total), ("accepted_ever", 1));
    assert_eq!(counted.subject, Uuid::parse_str(&app.organization).unwrap().into_bytes());
    assert_eq!(counted.window_start, Timestamp::UNIX_EPOCH);
    database.close().await.unwrap();
    // It is the row that the next acceptance adds to.
    let (_, mail) = app.invite_and_receive("bob@example.com").await;
    let body = json!({"token": mail.token(), "password": "correct horse battery staple"});
    assert_eq!(app.act("/v1/invitations/accept", &body).await.0, 200);
    let database = Database::connect(&app.database_url).await.unwrap();
    let ever = tally::Entity::find().filter(tally::Column::Kind.eq("accepted_ever"));
    let rows = ever.all(&database).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.total).collect::<Vec<_>>(), [2]);
    database.close().await.unwrap();
}

async fn addresses_that_were_suppressed_before_are_listed(stack: Stack) {
    let app = TestApp::start(stack).await;
    let database = Database::connect(&app.database_url).await.unwrap();
    // Back to the version in which they had no ids.
    let since = u32::try_from(Migrator::migrations().len() - 4).unwrap();
    Migrator::down(&database, Some(since)).await.unwrap();
    let organization = Uuid::parse_str(&app.organization).unwrap();
    for name in ["ann", "bob"] {
        let row: [(&str, SimpleExpr); 4] = [
            ("organization_id", organization.into()),
            ("email_normalized", format!("{name}@example.com").into()),
            ("reason", "no_such_recipient".into()),
            ("created_at", app.clock.now().into()),
        ];
        insert(&database, "suppression", row.into_iter()).await;
    }
    Migrator::up(&database, None).await.unwrap();
    database.close().await.unwrap();
    let path = format!("/v1/organizations/{}/suppressions", app.organization);
    let first = app.get(&format!("{path}?limit=1")).await;
    let cursor = first["next_cursor"].as_str().expect("two different ids");
    let second = app.get(&format!("{path}?limit=1&cursor={cursor}")).await;
    let seen = [&first, &second].map(|page| page["data"][0]["email"].clone());
    assert_eq!(seen, [json!("bob@example.com"), json!("ann@example.com")]);
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

/// They name no hour, and are known by their hash alone.
async fn links_that_were_sent_before_open(stack: Stack) {
    let app = TestApp::start(stack).await;
    app.invite_and_receive("ann@example.com").await;
    let old = "7ZK40123ABCDEFGH1JKMNPQRST";
    let database = Database::connect(&app.database_url).await.unwrap();
    let hash = SecretHash::of_exact(old).to_vec();
    let changed = invitation::Entity::update_many()
        .set(invitation::ActiveModel { token_hash: Set(Some(hash)), ..Default::default() })
        .exec(&database)
        .await
        .unwrap();
    assert_eq!(changed.rows_affected, 1);
    database.close().await.unwrap();
    let page = app.client.clone().with_key(None).get(&format!("/i/{old}")).await.unwrap();
    assert_eq!(page.status, 200, "{}", page.text());
    let body = json!({"token": old.to_lowercase(), "password": "correct horse battery staple"});
    let (status, accepted) = app.act("/v1/invitations/accept", &body).await;
    assert_eq!((status, &accepted["email"]), (200, &json!("ann@example.com")));
}
