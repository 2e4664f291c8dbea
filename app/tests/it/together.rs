//! Calls that share a transaction: none of them notices the others, whoever stands beside whom.
//!
//! On one thread all calls of a test are made before the first batch begins, so that it has them all.

use std::time::Duration;

use adapters::clock::Clock;
use adapters::settings::Settings;
use adapters::store::{
    Actor, CreateOutcome, IdempotencyKey, InvitationView, ListFilter, NewInvitation, OnExisting,
    OrganizationRef, Rank, Store, StoreError,
};
use domain::{CredentialPolicy, EmailAddress, OrganizationId, Position, SecretHash};
use futures_util::future::join_all;
use serde_json::json;
use tempfile::TempDir;

use crate::harness::{KEY, Stack};
use crate::servers::FreshDatabase;

on_both_stacks!(
    newcomers_share_a_transaction,
    what_some_say_and_others_leave_out_stays_theirs,
    a_pending_address_is_refused_at_each_place,
    a_row_that_the_database_refuses_stays_alone_at_each_place,
    who_comes_twice_finds_the_first,
    a_key_that_was_used_gets_the_first_answer,
    what_a_limit_refuses_is_refused_alone,
    each_key_finds_its_own_holder,
);

const NEIGHBOURS: usize = 4;

struct Room {
    store: Store,
    organization: OrganizationId,
    actor: Actor,
    database: Option<FreshDatabase>,
    _folder: TempDir,
}

type Answer = Result<CreateOutcome, StoreError>;

/// One call.
struct Ask {
    organization: OrganizationId,
    new: NewInvitation,
    key: Option<IdempotencyKey>,
}

async fn newcomers_share_a_transaction(stack: Stack) {
    on_one_thread(stack, &[], async |room| {
        let asks = (0..60).map(|number| room.ask(&format!("n{number}@example.com"))).collect();
        let made: Vec<_> = room.create(asks).await.into_iter().map(created).collect();
        for (number, invitation) in made.iter().enumerate() {
            assert_eq!(invitation.email, format!("n{number}@example.com"));
            assert_eq!(invitation.created_at, made[0].created_at, "in a transaction of its own");
        }
        let listed = room.listed().await;
        let ids = |all: &[InvitationView]| {
            let mut ids: Vec<_> = all.iter().map(|one| one.id.to_string()).collect();
            ids.sort();
            ids
        };
        assert_eq!(ids(&listed), ids(&made));
        let due = room.store.claim_outbox(Rank::First, 100, Duration::from_mins(1)).await.unwrap();
        assert_eq!(due.len(), 60, "each has one mail to be published");
        let detail = room.store.invitation(room.organization, made[7].id).await.unwrap().unwrap();
        assert_eq!((detail.deliveries.len(), detail.events.len()), (1, 1));
    })
    .await;
}

/// Rows of one statement have the same columns, whatever is in them.
async fn what_some_say_and_others_leave_out_stays_theirs(stack: Stack) {
    on_one_thread(stack, &[], async |room| {
        let asks = (0..9).map(|number| {
            let mut ask = room.ask(&format!("n{number}@example.com"));
            // Some of all, none of it at all, and each of them.
            ask.new.first_name = (number % 3 == 0).then(|| name("Grace \"Amazing\" {H,\\}"));
            ask.new.position.auto_assign_default_workdays = (number % 2 == 0).then_some(number > 4);
            ask.new.position.department = Some(format!("NULL {number}"));
            ask.new.metadata = json!({ "number": number, "nothing": null });
            ask
        });
        let asks: Vec<_> = asks.collect();
        let said: Vec<_> = asks.iter().map(|ask| ask.new.clone()).collect();
        let made: Vec<_> = room.create(asks).await.into_iter().map(created).collect();
        let listed = room.listed().await;
        for (made, said) in made.iter().zip(said) {
            assert_eq!(made.created_at, listed[0].created_at, "in a transaction of its own");
            let kept = listed.iter().find(|kept| kept.id == made.id).unwrap();
            let first_name = said.first_name.map(|name| name.as_str().to_owned());
            assert_eq!((&kept.first_name, &kept.last_name), (&first_name, &None));
            assert_eq!((&kept.email, &kept.metadata), (&made.email, &said.metadata));
            let member = room.store.invited_member(room.organization, made.id).await.unwrap();
            assert_eq!(member.unwrap().position, said.position);
        }
    })
    .await;
}

async fn a_pending_address_is_refused_at_each_place(stack: Stack) {
    on_one_thread(stack, &[], async |room| {
        let pending = created(room.create(vec![room.ask("m@example.com")]).await.remove(0));
        for place in 0..=NEIGHBOURS {
            let answers = room.create(room.among_neighbours(place, room.ask("m@example.com")));
            for (at, answer) in answers.await.into_iter().enumerate() {
                match answer.unwrap() {
                    CreateOutcome::AlreadyPending(id) if at == place => assert_eq!(id, pending.id),
                    CreateOutcome::Created(_) if at != place => {}
                    other => panic!("{place}, {at}: {other:?}"),
                }
            }
        }
    })
    .await;
}

async fn a_row_that_the_database_refuses_stays_alone_at_each_place(stack: Stack) {
    on_one_thread(stack, &[], async |room| {
        for place in 0..=NEIGHBOURS {
            let mut poison = room.ask("m@example.com");
            poison.organization = OrganizationId::from_uuid(uuid::Uuid::nil());
            let answers = room.create(room.among_neighbours(place, poison)).await;
            for (at, answer) in answers.into_iter().enumerate() {
                match answer {
                    Err(StoreError::Database(_)) if at == place => {}
                    Ok(CreateOutcome::Created(_)) if at != place => {}
                    other => panic!("{place}, {at}: {other:?}"),
                }
            }
        }
        let listed = room.listed().await;
        assert_eq!(listed.len(), (NEIGHBOURS + 1) * NEIGHBOURS);
    })
    .await;
}

async fn who_comes_twice_finds_the_first(stack: Stack) {
    on_one_thread(stack, &[], async |room| {
        let twice = |email: &str, key: &str| Ask { key: Some(word(key, 1)), ..room.ask(email) };
        let asks = vec![
            room.ask("ann@example.com"),
            room.ask("ANN@example.com"),
            twice("bob@example.com", "k1"),
            twice("bob@example.com", "k1"),
        ];
        let mut answers = room.create(asks).await.into_iter();
        let mut next = || answers.next().unwrap();
        let (ann, again) = (created(next()), next().unwrap());
        assert!(matches!(again, CreateOutcome::AlreadyPending(id) if id == ann.id), "{again:?}");
        let (bob, again) = (created(next()), next().unwrap());
        let CreateOutcome::Replayed(body) = again else { panic!("{again:?}") };
        assert_eq!(body, serde_json::to_string(&bob).unwrap());
    })
    .await;
}

async fn a_key_that_was_used_gets_the_first_answer(stack: Stack) {
    on_one_thread(stack, &[], async |room| {
        let ask = |email, key, said| Ask { key: Some(word(key, said)), ..room.ask(email) };
        let first = created(room.create(vec![ask("a@example.com", "k1", 1)]).await.remove(0));
        let asks = vec![
            ask("a@example.com", "k1", 1),
            ask("b@example.com", "k1", 2),
            ask("c@example.com", "k2", 3),
        ];
        let answers: Vec<_> =
            room.create(asks).await.into_iter().map(|answer| answer.unwrap()).collect();
        let CreateOutcome::Replayed(body) = &answers[0] else { panic!("{answers:?}") };
        assert_eq!(*body, serde_json::to_string(&first).unwrap());
        assert!(matches!(answers[1], CreateOutcome::KeyReused), "{answers:?}");
        assert!(matches!(answers[2], CreateOutcome::Created(_)), "{answers:?}");
        assert_eq!(room.listed().await.len(), 2);
    })
    .await;
}

async fn what_a_limit_refuses_is_refused_alone(stack: Stack) {
    let limit = [("LIMITS_SENDS_PER_RECIPIENT_PER_DAY", "2")];
    on_one_thread(stack, &limit, async |room| {
        // Tags name the same mailbox.
        let mailbox = (0..4).map(|tag| room.ask(&format!("ann+{tag}@example.com")));
        let others = (0..4).map(|number| room.ask(&format!("n{number}@example.com")));
        let answers = room.create(mailbox.chain(others).collect()).await;
        let made = |answer: &Answer| matches!(answer, Ok(CreateOutcome::Created(_)));
        let refused = |answer: &Answer| matches!(answer, Ok(CreateOutcome::Refused(_)));
        assert_eq!(answers[..4].iter().filter(|answer| made(answer)).count(), 2, "{answers:?}");
        assert_eq!(answers[..4].iter().filter(|answer| refused(answer)).count(), 2);
        assert!(answers[4..].iter().all(made), "{answers:?}");
        assert_eq!(room.listed().await.len(), 6, "what is refused leaves nothing behind");
    })
    .await;
}

async fn each_key_finds_its_own_holder(stack: Stack) {
    on_one_thread(stack, &[], async |room| {
        let hashes = [KEY, "wlc_unknown", KEY, ""].map(SecretHash::of_exact);
        let found = join_all(hashes.map(|hash| room.store.authenticate(hash))).await;
        let organization = |found: &Result<Option<adapters::store::Caller>, StoreError>| {
            found
                .as_ref()
                .unwrap()
                .as_ref()
                .and_then(|caller| Some(caller.organization.as_ref()?.id))
        };
        let own = Some(room.organization);
        assert_eq!(found.iter().map(organization).collect::<Vec<_>>(), [own, None, own, None]);
    })
    .await;
}

async fn on_one_thread(
    stack: Stack,
    settings: &[(&'static str, &'static str)],
    test: impl AsyncFnOnce(&Room) + Send + 'static,
) {
    let settings = settings.to_vec();
    let alone = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let room = Room::open(stack, &settings).await;
            test(&room).await;
            room.close().await;
        });
    };
    tokio::task::spawn_blocking(alone).await.unwrap();
}

impl Room {
    async fn open(stack: Stack, own: &[(&'static str, &'static str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = match stack {
            Stack::Embedded => None,
            Stack::Distributed => Some(FreshDatabase::create().await),
        };
        let file = format!("sqlite://{}?mode=rwc", folder.path().join("room.db").display());
        let url = database.as_ref().map_or(file.as_str(), |database| &database.url);
        let env = [("DATABASE_URL", url), ("BOOTSTRAP_API_KEY", KEY)];
        let env = env.iter().chain(own);
        let env = env.map(|(name, value)| (format!("WELCOMAT_{name}"), (*value).to_owned()));
        let settings = Settings::load(None, env.collect::<Vec<_>>().into_iter()).unwrap();
        let store = Store::connect(&settings, Clock::new()).await.unwrap();
        store.migrate().await.unwrap();
        api::bootstrap::bootstrap(&store, &settings.bootstrap).await.unwrap();
        let caller = store.authenticate(SecretHash::of_exact(KEY)).await.unwrap().unwrap();
        let organization = caller.organization.unwrap().id;
        Self { store, organization, actor: caller.actor, database, _folder: folder }
    }

    async fn close(self) {
        self.store.close().await;
        if let Some(database) = self.database {
            database.remove().await;
        }
    }

    fn ask(&self, email: &str) -> Ask {
        let new = NewInvitation {
            email: EmailAddress::parse(email).unwrap(),
            first_name: None,
            last_name: None,
            role: domain::MembershipRole::default(),
            position: Position::default(),
            locale: "en".to_owned(),
            metadata: json!({}),
            expires_in: Duration::from_hours(1),
            send_at: None,
            credential: CredentialPolicy::Link,
            password_hash: None,
            secret: None,
            on_existing: OnExisting::Error,
        };
        Ask { organization: self.organization, new, key: None }
    }

    /// The call at this place, and others for addresses before and behind it in the alphabet.
    fn among_neighbours(&self, place: usize, ask: Ask) -> Vec<Ask> {
        let names = ["a", "b", "y", "z"];
        let neighbour = |name| self.ask(&format!("{name}{place}@example.com"));
        let mut asks: Vec<_> = names[..NEIGHBOURS].iter().map(neighbour).collect();
        asks.insert(place, ask);
        asks
    }

    async fn create(&self, asks: Vec<Ask>) -> Vec<Answer> {
        let create = async |Ask { organization, new, key }| {
            let host = OrganizationRef {
                id: organization,
                number: 0,
                name: String::new(),
                roles: domain::RolePolicy::default(),
                policy: None,
            };
            self.store.create_invitation(&host, self.actor.clone(), new, key).await
        };
        join_all(asks.into_iter().map(create)).await
    }

    async fn listed(&self) -> Vec<InvitationView> {
        let all = ListFilter {
            status: None,
            delivery_status: None,
            email: None,
            before: None,
            limit: 200,
        };
        self.store.invitations(self.organization, &all).await.unwrap()
    }
}

fn name(text: &str) -> domain::Name {
    domain::Name::parse(text).unwrap()
}

fn created(answer: Answer) -> InvitationView {
    match answer.unwrap() {
        CreateOutcome::Created(invitation) => *invitation,
        other => panic!("{other:?}"),
    }
}

fn word(key: &str, said: u8) -> IdempotencyKey {
    let fingerprint = SecretHash::of_exact(&said.to_string());
    IdempotencyKey { key: key.to_owned(), route: "invitations", fingerprint }
}
