//! A list reads what it shows, and not all that stands otherwise or is somebody else's.

use adapters::clock::Clock;
use adapters::settings::Settings;
use adapters::store::{ListFilter, Store};
use domain::{DeliveryStatus, InvitationStatus};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement,
};
use serde_json::json;

use crate::harness::{Stack, TestApp, block_on};
use crate::servers::{FreshDatabase, eventually};

/// The planner may give up making a plan for each value after five times.
const TIMES: usize = 7;
const LIMIT: u64 = 50;
/// Pages for a full list: a few for each of what is shown and its delivery.
const FULL: i64 = 400;
/// Pages for next to nothing: the way down some indexes.
const SHORT: i64 = 60;

/// In the order of their ids: one invitation of each kind that is looked for; 20,000 of another organization;
/// 20,000 of ours; and members in the same order. The planner knows that half of all are whose they are and
/// stand as they do, but not where. What vacuums touches pages, too.
const FILL: &str = "
    ALTER TABLE invitation SET (autovacuum_enabled = off);
    ALTER TABLE delivery SET (autovacuum_enabled = off);
    ALTER TABLE membership SET (autovacuum_enabled = off);
    CREATE TEMPORARY TABLE filling AS SELECT
        ('ffffffff-ffff-7fff-8fff-' || lpad(to_hex(n), 12, '0'))::uuid AS id,
        (CASE WHEN n <= 20000 THEN 'OTHER' ELSE 'OURS' END)::uuid AS organization
    FROM generate_series(1, 40000) AS n;
    INSERT INTO invitation SELECT (jsonb_populate_record(i, jsonb_build_object(
        'id', filling.id, 'organization_id', organization, 'status', 'accepted', 'token_hash', null))).*
    FROM invitation i, filling WHERE i.email = 'ann@example.com';
    INSERT INTO delivery SELECT (jsonb_populate_record(d, jsonb_build_object(
        'id', filling.id, 'organization_id', organization, 'invitation_id', filling.id, 'message_id', filling.id))).*
    FROM invitation i JOIN delivery d ON d.invitation_id = i.id, filling WHERE i.email = 'ann@example.com';
    UPDATE delivery SET status = 'failed' FROM invitation i
    WHERE i.id = delivery.invitation_id AND i.email = 'bob@example.com';
    INSERT INTO \"user\" (id, email, email_normalized, status, must_change_password, created_at, updated_at)
    SELECT id, id, id, 'invited', false, now(), now() FROM filling;
    INSERT INTO membership (id, organization_id, user_id, role, status, created_at, updated_at)
    SELECT id, organization, id, 'member', 'invited', now(), now() FROM filling ORDER BY id;
    ANALYZE;";

#[test]
fn what_is_not_shown_is_not_read() {
    block_on(async {
        let database = FreshDatabase::create().await;
        let url = database.url.as_str();
        let (own, other) = filled(url).await;
        let (own, other) = (own.parse().unwrap(), other.parse().unwrap());
        let all = ListFilter {
            status: None,
            delivery_status: None,
            email: None,
            before: None,
            limit: LIMIT,
        };
        let standing = |status| ListFilter { status: Some(status), ..all.clone() };
        let mailed = |status| ListFilter { delivery_status: Some(status), ..all.clone() };
        // Of our 20,000.
        let fifth = "ffffffff-ffff-7fff-8fff-000000004e25".parse().unwrap();
        let last_page = |filter| ListFilter { before: Some(fifth), ..filter };
        let sent = mailed(DeliveryStatus::Sent);
        let accepted = standing(InvitationStatus::Accepted);
        for (organization, filter, shown, most) in [
            (other, all.clone(), 50, FULL),
            (other, accepted.clone(), 50, FULL),
            (other, sent.clone(), 50, FULL),
            (own, last_page(all.clone()), 6, SHORT),
            (own, last_page(accepted), 4, SHORT),
            (own, last_page(sent), 5, SHORT),
            (own, standing(InvitationStatus::Revoked), 1, SHORT),
            (own, standing(InvitationStatus::Pending), 1, SHORT),
            (own, mailed(DeliveryStatus::Failed), 1, SHORT),
            (own, mailed(DeliveryStatus::Queued), 0, SHORT),
        ] {
            let pages = pages(url, async |store| {
                let found = store.invitations(organization, &filter).await.unwrap();
                assert_eq!(found.len(), shown, "{filter:?}");
            });
            let pages = pages.await;
            assert!(pages < most, "{pages} pages for {filter:?}");
        }
        let members = pages(url, async |store| {
            assert_eq!(store.members(own, 0, LIMIT).await.unwrap().len(), 50);
        });
        let members = members.await;
        assert!(members < SHORT, "{members} pages for members");
        database.remove().await;
    });
}

/// Two organizations with many invitations, on which no service works any more.
async fn filled(url: &str) -> (String, String) {
    let env = [("WELCOMAT_DATABASE_URL", url)];
    let app = TestApp::start_with_settings(Stack::Distributed, &env).await;
    let (revoked, _) = app.invite_and_receive("ann@example.com").await;
    app.invite_and_receive("bob@example.com").await;
    assert_eq!(app.act(&format!("{revoked}/revoke"), &json!({})).await.0, 200);
    let own = app.organization.clone();
    let (other, _) = app.other_organization().await;
    drop(app);
    let database = Database::connect(url).await.unwrap();
    let fill = FILL.replace("OTHER", &other).replace("OURS", &own);
    database.execute_unprepared(&fill).await.unwrap();
    database.close().await.unwrap();
    (own, other)
}

/// Pages of the tables that a look at the store touches, in memory or not; on average of some over one connection.
async fn pages(url: &str, look: impl AsyncFn(&Store)) -> i64 {
    let mut options = ConnectOptions::new(url);
    let observer = Database::connect(options.max_connections(1).to_owned()).await.unwrap();
    let before = touched(&observer).await;
    let env = [("DATABASE_URL", url), ("DATABASE_MAX_CONNECTIONS", "1")];
    let env = env.map(|(name, value)| (format!("WELCOMAT_{name}"), value.to_owned()));
    let settings = Settings::load(None, env.into_iter()).unwrap();
    let store = Store::connect(&settings, Clock::new()).await.unwrap();
    for _ in 0..TIMES {
        look(&store).await;
    }
    store.close().await;
    let pages = touched(&observer).await - before;
    observer.close().await.unwrap();
    pages / i64::try_from(TIMES).unwrap()
}

/// Pages touched so far: a connection has told of all when it has ended, since PostgreSQL 15.
async fn touched(observer: &DatabaseConnection) -> i64 {
    let ended = "SELECT count(*) FROM pg_stat_activity \
                 WHERE datname = current_database() AND backend_type = 'client backend' \
                 AND pid <> pg_backend_pid()";
    eventually("the connections have ended", async || {
        (number(observer, ended).await == 0).then_some(())
    })
    .await;
    let touched = "SELECT sum(heap_blks_hit + heap_blks_read + idx_blks_hit + idx_blks_read)::bigint \
                   FROM pg_statio_user_tables WHERE relname IN ('invitation', 'delivery', 'membership')";
    number(observer, touched).await
}

async fn number(database: &DatabaseConnection, sql: &str) -> i64 {
    let query = Statement::from_string(DbBackend::Postgres, sql);
    let row = database.query_one_raw(query).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}
