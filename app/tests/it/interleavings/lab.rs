//! What all the actors share: the store, its clock, the broker's queue and the mail server's log.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use adapters::clock::Clock;
use adapters::seal::SealKeys;
use adapters::settings::Settings;
use adapters::store::{Actor, Claimed, InvitationDetail, OrganizationRef, Store, StoreError};
use domain::{
    AttemptToken, DeliveryId, Generation, InvitationId, Job, OrganizationId, SecretHash,
    SendOutcome,
};
use rand::RngExt;
use rand::rngs::StdRng;
use tempfile::TempDir;

use super::checks;
use crate::harness::{KEY, Stack};
use crate::servers::FreshDatabase;

pub const LEASE: Duration = Duration::from_mins(1);
pub const PAUSE: Duration = Duration::from_secs(20);
pub const LOCK: Duration = Duration::from_mins(1);
pub const LOST_AFTER: Duration = Duration::from_mins(10);
/// Ends in the middle of a run, and outlasts the first rounds of its ending: what was left undone
/// must be sent there, not expire.
pub const EXPIRES_IN: Duration = Duration::from_mins(45);

pub struct Lab {
    pub store: Store,
    pub clock: Clock,
    pub keys: SealKeys,
    pub url: String,
    settings: Settings,
    pub organization: OrganizationId,
    pub actor: Actor,
    /// Whether anything goes wrong at all.
    pub faults: bool,
    /// Whether each step has the store for itself, so that its result can be told beforehand.
    pub alone: bool,
    pub queue: Mutex<Vec<Job>>,
    /// Every invitation, with what was last seen of it.
    pub seen: Mutex<Vec<(InvitationId, Option<InvitationDetail>)>>,
    /// Who may report, by the claims that succeeded.
    pub holders: Mutex<HashMap<DeliveryId, AttemptToken>>,
    pub mails: Mutex<Vec<Taken>>,
    /// The attempts of workers that went away, with what they would have to report.
    pub lingering: Mutex<Vec<(Box<Claimed>, SendOutcome)>>,
    database: Option<FreshDatabase>,
    _folder: TempDir,
}

/// A mail that the mail server has taken.
#[derive(Debug, Clone)]
pub struct Taken {
    pub invitation: InvitationId,
    pub delivery: DeliveryId,
    pub generation: Generation,
    pub message_id: String,
    pub secret: String,
    /// Whether a fault kept the database from learning of it: then there may be a repeat.
    pub excused: bool,
}

impl Lab {
    /// The organization as whoever invites for it knows it.
    pub fn host(&self) -> OrganizationRef {
        OrganizationRef {
            id: self.organization,
            number: 1,
            name: String::new(),
            roles: domain::RolePolicy::default(),
            policy: None,
        }
    }

    pub async fn open(stack: Stack, alone: bool) -> Self {
        // Then the newest link alone is good: a rule that can be checked without a clock.
        Self::open_with(stack, alone, &[("INVITATION_LINK_OVERLAP_MINUTES", "0")]).await
    }

    /// With settings of its own, named without their prefix.
    pub async fn open_with(stack: Stack, alone: bool, own: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = match stack {
            Stack::Embedded => None,
            Stack::Distributed => Some(FreshDatabase::create().await),
        };
        let file = format!("sqlite://{}?mode=rwc", folder.path().join("lab.db").display());
        let url = database.as_ref().map_or(file, |database| database.url.clone());
        let env = [("DATABASE_URL", url.as_str()), ("BOOTSTRAP_API_KEY", KEY)];
        let env = env.iter().chain(own);
        let env = env.map(|&(name, value)| (format!("WELCOMAT_{name}"), value.to_owned()));
        let settings = Settings::load(None, env).unwrap();
        let store = Store::connect(&settings, Clock::new()).await.unwrap();
        store.migrate().await.unwrap();
        api::bootstrap::bootstrap(&store, &settings.bootstrap).await.unwrap();
        let caller = store.authenticate(SecretHash::of_exact(KEY)).await.unwrap().unwrap();
        Self {
            clock: store.clock().clone(),
            keys: SealKeys::parse(&format!("k1:{}=", "A".repeat(43))).unwrap(),
            organization: caller.organization.unwrap().id,
            actor: caller.actor,
            store,
            url,
            settings,
            faults: true,
            alone,
            queue: Mutex::default(),
            seen: Mutex::default(),
            holders: Mutex::default(),
            mails: Mutex::default(),
            lingering: Mutex::default(),
            database,
            _folder: folder,
        }
    }

    /// The store of another process, so to speak.
    pub async fn another_store(&self) -> Store {
        Store::connect(&self.settings, self.clock.clone()).await.unwrap()
    }

    /// Whether something goes wrong now; more seldom than not.
    pub fn dice(&self, rng: &mut StdRng) -> bool {
        self.faults && rng.random_bool(0.07)
    }

    /// Lets time pass: mostly seconds, sometimes more than a lease; and sometimes somebody sets the clock back by
    /// as much.
    pub fn jump(&self, rng: &mut StdRng) {
        let most = if rng.random_bool(0.4) { 200 } else { 20 };
        let by = Duration::from_secs(rng.random_range(1..=most));
        if rng.random_bool(0.2) {
            self.clock.turn_back(by);
        } else {
            self.clock.advance(by);
        }
    }

    /// Lets every lease, lock and pause end, and what was lost be missed.
    pub fn settle_time(&self) {
        self.clock.advance(LOST_AFTER + LEASE);
    }

    pub fn has_jobs(&self) -> bool {
        !lock(&self.queue).is_empty()
    }

    pub fn invitations(&self) -> Vec<InvitationId> {
        lock(&self.seen).iter().map(|(id, _)| *id).collect()
    }

    /// Looks at an invitation, and whether what had ended has stayed as it was.
    pub async fn look(&self, id: InvitationId) -> InvitationDetail {
        let found = self.store.invitation(self.organization, id).await.unwrap().unwrap();
        let mut seen = lock(&self.seen);
        if !seen.iter().any(|(known, _)| *known == id) {
            seen.push((id, None));
        }
        let entry = seen.iter_mut().find(|(known, _)| *known == id).unwrap();
        // Side by side, two looks may come back in the other order.
        let earlier = entry.1.as_ref().filter(|_| self.alone);
        checks::still(earlier, &found);
        entry.1 = Some(found.clone());
        found
    }

    /// Whose mail a delivery is.
    pub async fn invitation_of(&self, delivery: DeliveryId) -> InvitationId {
        let has = |detail: &InvitationDetail| {
            detail.deliveries.iter().any(|mail| mail.delivery.id == delivery)
        };
        let known = |(id, seen): &(_, Option<_>)| seen.as_ref().is_some_and(has).then_some(*id);
        let known = lock(&self.seen).iter().rev().find_map(known);
        if let Some(id) = known {
            return id;
        }
        for id in self.invitations().into_iter().rev() {
            if has(&self.look(id).await) {
                return id;
            }
        }
        panic!("every job is of a delivery that exists")
    }

    pub async fn is_settled(&self) -> bool {
        let mut settled = true;
        for id in self.invitations() {
            let mails = self.look(id).await.deliveries;
            settled &= mails.iter().all(|mail| mail.delivery.status.is_settled());
        }
        settled
    }

    pub async fn close(self) {
        self.store.close().await;
        if let Some(database) = self.database {
            database.remove().await;
        }
    }
}

/// What the store says, or `None` if it asks to try again; anything else is a bug.
pub fn unless_busy<T>(result: Result<T, StoreError>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(StoreError::Busy) => None,
        Err(error) => panic!("{error}"),
    }
}

pub fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().expect("nobody panics with it")
}
