//! What the pure parts cost, one by one: nothing here waits for anybody.
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot be set up has nothing to say")]

use adapters::clock::Clock;
use adapters::mailer::{Mail, MailParts, Mailer, Sender};
use adapters::rng;
use adapters::seal::SealKeys;
use adapters::settings::Settings;
use adapters::templates::{InvitationMail, MailContent, Templates};
use divan::{Bencher, black_box, main as run};
use domain::delivery::DeliveryEvent;
use domain::{
    AttemptToken, Delivery, DeliveryId, DeliveryState, EmailAddress, InvitationId, Job, LinkToken,
    Mailbox, Name, SendOutcome, Timestamp,
};

fn main() {
    run();
}

const INVITATION: &[u8] = b"01937a5c-8f5e-7c52-9d0b-6f6d2f0c5a11";

fn now() -> Timestamp {
    Clock::new().now()
}

fn invitation(now: Timestamp) -> InvitationMail<'static> {
    InvitationMail {
        kind: domain::DeliveryKind::Invitation,
        organization: "Acme",
        inviter: Some("Ada Lovelace"),
        first_name: Some("Grace"),
        role: "member",
        accept_url: "http://127.0.0.1:8080/i/k7m2q9x4w8r3t6y1p5s0d2f7g4",
        temporary_password: Some("k7m2q-9x4w8-r3t6y-1p5s0-d2f7g-4"),
        expires_at: now,
        password_valid_hours: 24,
        support: None,
    }
}

/// The three parts of a mail from their templates.
#[divan::bench]
fn render(bencher: Bencher<'_, '_>) {
    let (templates, mail) = (Templates::load(None).unwrap(), invitation(now()));
    bencher.bench_local(|| templates.mail("en", black_box(&mail)).unwrap());
}

/// The bytes of a mail from its rendered parts.
#[divan::bench]
fn build(bencher: Bencher<'_, '_>) {
    let mailer = Mailer::new(&Settings::load(None, std::iter::empty()).unwrap().mail).unwrap();
    let now = now();
    let content = Templates::load(None).unwrap().mail("en", &invitation(now)).unwrap();
    bencher.bench_local(|| build_one(mailer.sender(), black_box(&content), now));
}

fn build_one(sender: &Sender, content: &MailContent, now: Timestamp) -> Mail {
    let parts = MailParts {
        to: EmailAddress::parse("grace@example.com").unwrap(),
        to_name: Name::parse("Grace Hopper").ok(),
        subject: content.subject.clone(),
        text: content.text.clone(),
        html: content.html.clone(),
        message_id: "01937a5c-8f5e-7c52-9d0b-6f6d2f0c5a11.1@localhost".to_owned(),
        date: now,
        invitation: Some(InvitationId::new(now, &mut rng())),
        return_path: None,
    };
    Mail::build(sender, parts).unwrap()
}

#[divan::bench(args = ["grace@example.com", "Grace.Hopper+tag@Mail.Example.ORG", "grace@exämple.com", "no address"])]
fn parse_address(text: &str) -> bool {
    EmailAddress::parse(black_box(text)).is_ok()
}

/// What limits count by: the address without tags, hashed.
#[divan::bench]
fn mailbox(bencher: Bencher<'_, '_>) {
    let address = EmailAddress::parse("Grace.Hopper+tag@example.com").unwrap();
    bencher.bench_local(|| Mailbox::of(black_box(&address)));
}

/// From queued to sent.
#[divan::bench]
fn transitions(bencher: Bencher<'_, '_>) {
    let now = now();
    let delivery = Delivery {
        id: DeliveryId::new(now, &mut rng()),
        invitation: InvitationId::new(now, &mut rng()),
        generation: 1,
        attempts: 0,
        give_up_at: now + std::time::Duration::from_hours(72),
        state: DeliveryState::Queued,
    };
    let attempt = AttemptToken::new(now, &mut rng());
    let lease_until = now + std::time::Duration::from_mins(20);
    bencher.bench_local(|| {
        let claim = DeliveryEvent::Claim { attempt, lease_until };
        let outcome = SendOutcome::Sent;
        let report = DeliveryEvent::Report { attempt, outcome: &outcome, next_attempt_at: now };
        let sending = black_box(&delivery).clone().apply(&claim, now).unwrap();
        sending.apply(&report, now).unwrap()
    });
}

#[divan::bench]
fn secret_and_its_hash(bencher: Bencher<'_, '_>) {
    let mut rng = rng();
    bencher.bench_local(|| LinkToken::generate(Timestamp::UNIX_EPOCH, &mut rng).hash());
}

#[divan::bench]
fn seal(bencher: Bencher<'_, '_>) {
    let (keys, mut rng) = (keys(), rng());
    bencher.bench_local(|| keys.seal(black_box(&[0x5a; 60]), INVITATION, &mut rng));
}

#[divan::bench]
fn open(bencher: Bencher<'_, '_>) {
    let keys = keys();
    let sealed = keys.seal(&[0x5a; 60], INVITATION, &mut rng());
    bencher.bench_local(|| keys.open(black_box(&sealed), INVITATION).unwrap());
}

fn keys() -> SealKeys {
    SealKeys::parse(&format!("k1:{}=", "A".repeat(43))).unwrap()
}

/// A job from the broker.
#[divan::bench]
fn decode_job(bencher: Bencher<'_, '_>) {
    let delivery = DeliveryId::new(now(), &mut rng());
    let job = Job::V1(domain::job::JobV1::Email { delivery, generation: 1 });
    let bytes = job.encode();
    bencher.bench_local(|| Job::decode(black_box(&bytes)).unwrap());
}
