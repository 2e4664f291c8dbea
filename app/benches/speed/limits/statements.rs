//! SQL that does what the product does for an invitation, in as few statements as can be.
//!
//! It writes the same rows into the same tables with the same indexes: what is left out is only the
//! way there. Ids grow with time, as the product's do.

/// Bytes of a UUID after the number that makes it grow.
const REST: &str = "70008000000000000001";

/// What all of this needs: an organization, and numbers.
pub const PREPARE: &str = "
INSERT INTO organization (id, name, slug, created_at, updated_at)
VALUES ('00000000-0000-7000-8000-000000000001', 'Limits', 'limits', now(), now());
CREATE SEQUENCE bench_invited CACHE 100;
CREATE SEQUENCE bench_done;
CREATE TABLE bare_invitation (
  id uuid PRIMARY KEY, organization_id uuid NOT NULL, email text NOT NULL,
  email_normalized text NOT NULL, role text NOT NULL, locale text NOT NULL, status text NOT NULL,
  generation integer NOT NULL, email_sent boolean NOT NULL, expires_at timestamptz NOT NULL,
  metadata jsonb NOT NULL, created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL);
CREATE UNIQUE INDEX ON bare_invitation (organization_id, email_normalized) WHERE status = 'pending';
CREATE TABLE bare_outbox (
  id uuid PRIMARY KEY, subject_id uuid NOT NULL, available_at timestamptz NOT NULL,
  published_at timestamptz);
CREATE INDEX ON bare_outbox (available_at) WHERE published_at IS NULL;";

/// Lets the planner know what there is now; a database that has run for a while knows.
pub const LOOK: &str = "ANALYZE";

/// Empties everything again.
pub const EMPTY: &str = "
TRUNCATE \"user\", membership, invitation, delivery, attempt, outbox, event, tally,
  bare_invitation, bare_outbox;
ALTER SEQUENCE bench_invited RESTART;
ALTER SEQUENCE bench_done RESTART;
CHECKPOINT;";

/// New people: `n`, `id`, `email`.
fn new(rows: usize) -> String {
    format!(
        "WITH new AS MATERIALIZED (
  SELECT n, (lpad(to_hex(n), 12, '0') || '{REST}')::uuid AS id, 'n' || n || '@example.com' AS email
  FROM (SELECT nextval('bench_invited') AS n FROM generate_series(1, {rows})) AS numbers)"
    )
}

/// Invites so many people in one statement: every row that the product writes for each of them.
pub fn invite(rows: usize) -> String {
    let new = new(rows);
    format!(
        "{new}, users AS (
  INSERT INTO \"user\" (id, email, email_normalized, username, first_name, last_name, status,
    must_change_password, created_at, updated_at)
  SELECT id, email, email, 'n' || n, 'Grace', 'Hopper', 'invited', false, now(), now() FROM new
  ON CONFLICT DO NOTHING), members AS (
  INSERT INTO membership (id, organization_id, user_id, role, status, created_at, updated_at)
  SELECT id, '{ORGANIZATION}', id, 'member', 'invited', now(), now() FROM new
  ON CONFLICT DO NOTHING), invitations AS (
  INSERT INTO invitation (id, organization_id, membership_id, user_id, inviter_id, email,
    email_normalized, first_name, last_name, role, locale, metadata, credential, status, generation,
    secret_generation, wrong_passwords, email_sent, expires_at, created_at, updated_at)
  SELECT id, '{ORGANIZATION}', id, id, id, email, email, 'Grace', 'Hopper', 'member', 'en', '{{}}',
    'temporary_password', 'pending', 1, 0, 0, false, now() + interval '7 days', now(), now() FROM new
  ON CONFLICT DO NOTHING), deliveries AS (
  INSERT INTO delivery (id, organization_id, invitation_id, generation, status, attempts, give_up_at,
    message_id, repeated, postponed, created_at, updated_at)
  SELECT id, '{ORGANIZATION}', id, 1, 'queued', 0, now() + interval '3 days', id || '.1@localhost', 0,
    false, now(), now() FROM new), jobs AS (
  INSERT INTO outbox (id, kind, subject_id, generation, available_at, tries, created_at)
  SELECT id, 'email', id, 1, now(), 0, now() FROM new), events AS (
  INSERT INTO event (id, organization_id, invitation_id, kind, actor, data, created_at)
  SELECT id, '{ORGANIZATION}', id, 'invitation.created', 'key {ORGANIZATION}',
    jsonb_build_object('role', 'member', 'delivery_id', id), now() FROM new)
INSERT INTO tally (kind, subject, window_start, total, seen, forget_at)
SELECT kind, prefix || sha256(email::bytea), date_trunc('day', now()), 1, seen,
  date_trunc('day', now()) + interval '1 day'
FROM new, (VALUES ('sends_per_recipient_per_day', uuid_send('{ORGANIZATION}'), NULL),
  ('organizations_per_recipient_per_day', ''::bytea, '{ORGANIZATION}'),
  ('organizations_per_recipient_per_week', ''::bytea, '{ORGANIZATION}')) AS kinds (kind, prefix, seen)
ON CONFLICT (kind, subject, window_start) DO UPDATE SET total = tally.total + excluded.total;"
    )
}

/// Two rows, the least that an invitation and an outbox can be.
pub fn invite_bare() -> String {
    let new = new(1);
    format!(
        "{new}, invitations AS (
  INSERT INTO bare_invitation
  SELECT id, '{ORGANIZATION}', email, email, 'member', 'en', 'pending', 1, false,
    now() + interval '7 days', '{{}}'::jsonb, now(), now() FROM new)
INSERT INTO bare_outbox SELECT id, id, now(), NULL FROM new;"
    )
}

/// The rest of the life of so many invitations: relayed, claimed, given a secret, reported.
pub fn live(rows: usize) -> String {
    let these = format!(
        "= ANY (ARRAY(SELECT (lpad(to_hex(n), 12, '0') || '{REST}')::uuid
  FROM generate_series(:first::bigint, :last::bigint) AS n))"
    );
    format!(
        "SELECT nextval('bench_done') AS turn \\gset
\\set first (:turn - 1) * {rows} + 1
\\set last :turn * {rows}
UPDATE outbox SET lock_token = id, locked_until = now() + interval '1 minute', tries = tries + 1
WHERE id IN (SELECT id FROM outbox WHERE published_at IS NULL AND available_at <= now()
  AND (locked_until IS NULL OR locked_until <= now())
  ORDER BY available_at LIMIT {rows} FOR UPDATE SKIP LOCKED);
UPDATE outbox SET published_at = now(), lock_token = NULL, locked_until = NULL WHERE id {these};
UPDATE delivery SET status = 'sending', attempts = attempts + 1, attempt_token = id,
  lease_until = now() + interval '20 minutes', updated_at = now()
WHERE id {these} AND status = 'queued' AND EXISTS (SELECT 1 FROM invitation
  WHERE invitation.id = delivery.invitation_id AND invitation.status = 'pending'
  AND invitation.generation = delivery.generation AND invitation.expires_at > now());
UPDATE invitation SET secret_generation = 1, sealed = decode(repeat('5a', 120), 'hex'),
  token_hash = substr(int4send((extract(epoch FROM now())::bigint / 3600)::int), 2) || sha256(uuid_send(id)),
  password_hash = sha256(uuid_send(id)), updated_at = now()
WHERE id {these} AND status = 'pending' AND secret_generation < generation;
{report}",
        report = report(&these)
    )
}

/// One report: what comes after the mail.
pub fn report_one() -> String {
    let these = format!("= (lpad(to_hex(:turn::bigint), 12, '0') || '{REST}')::uuid");
    format!("SELECT nextval('bench_done') AS turn \\gset\n{}", report(&these))
}

fn report(these: &str) -> String {
    format!(
        "WITH deliveries AS (
  UPDATE delivery SET status = 'sent', settled_at = now(), lease_until = NULL, updated_at = now()
  WHERE id {these}), invitations AS (
  UPDATE invitation SET email_sent = true, email_sent_at = now(), sealed = NULL,
    password_expires_at = now() + interval '1 day', updated_at = now() WHERE id {these}
  RETURNING id)
INSERT INTO event (id, organization_id, invitation_id, kind, actor, data, created_at)
SELECT gen_random_uuid(), '{ORGANIZATION}', id, 'delivery.sent', 'system',
  jsonb_build_object('delivery_id', id, 'generation', 1), now() FROM invitations;"
    )
}

const ORGANIZATION: &str = "00000000-0000-7000-8000-000000000001";
