-- Two million invitations of the last year, all of them settled: each with its person, membership,
-- sent mail, events and published job. Half of them belong to the organization under test, the rest
-- to a hundred others. ROWS is replaced.

SET session_replication_role = replica;
SET synchronous_commit = off;
SET maintenance_work_mem = '512MB';

-- What is no constraint is built once everything is there, as it is many times faster.
CREATE TEMPORARY TABLE dropped AS
SELECT indexname, indexdef FROM pg_indexes
WHERE schemaname = 'public'
  AND tablename IN ('user', 'membership', 'invitation', 'delivery', 'outbox', 'event', 'tally')
  AND indexname NOT IN (SELECT conname FROM pg_constraint);
DO $$ DECLARE name text; BEGIN
  FOR name IN SELECT indexname FROM dropped LOOP EXECUTE format('DROP INDEX %I', name); END LOOP;
END $$;

INSERT INTO organization (id, name, slug, created_at, updated_at)
SELECT ('0000000000007000800000000000' || lpad(to_hex(n), 4, '0'))::uuid, 'Organization ' || n,
  'organization-' || n, now(), now()
FROM generate_series(1, 100) AS n;

CREATE UNLOGGED TABLE old AS
SELECT n, at, 'o' || n || '@example.com' AS email,
  (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7'
    || lpad(to_hex(n & 4095), 3, '0') || '8000' || lpad(to_hex(n), 12, '0'))::uuid AS id,
  CASE WHEN n % 2 = 0 THEN (SELECT id FROM organization ORDER BY number LIMIT 1)
    ELSE ('0000000000007000800000000000' || lpad(to_hex(1 + n % 100), 4, '0'))::uuid
  END AS organization,
  (ARRAY['expired', 'revoked', 'declined', 'accepted', 'accepted', 'accepted', 'accepted', 'accepted',
    'accepted', 'accepted'])[1 + (n / 2) % 10] AS status
FROM (SELECT n, date_trunc('milliseconds', now() - interval '365 days' * (1.0 - n / ROWS.0)) AS at
  FROM generate_series(1, ROWS) AS n) AS numbers;

INSERT INTO "user" (id, email, email_normalized, username, first_name, last_name, status,
  must_change_password, created_at, updated_at)
SELECT id, email, email, 'o' || n, 'Grace', 'Hopper',
  CASE status WHEN 'accepted' THEN 'active' ELSE 'invited' END, false, at, at
FROM old;

INSERT INTO membership (id, organization_id, user_id, role, status, created_at, updated_at)
SELECT id, organization, id, 'member', CASE status WHEN 'accepted' THEN 'active' ELSE 'invited' END,
  at, at
FROM old;

INSERT INTO invitation (id, organization_id, membership_id, user_id, inviter_id, email,
  email_normalized, first_name, last_name, role, locale, metadata, credential, status, generation,
  secret_generation, token_hash, password_hash, password_expires_at, wrong_passwords, email_sent,
  email_sent_at, expires_at, closed_at, created_at, updated_at)
SELECT id, organization, id, id, id, email, email, 'Grace', 'Hopper', 'member', 'en', '{}',
  'temporary_password', status, 1, 1, substr(int4send((extract(epoch FROM at)::bigint / 3600)::int), 2) || sha256(uuid_send(id)),
  sha256(email::bytea),
  at + interval '1 day', 0, true, at, at + interval '7 days', at + interval '1 day', at,
  at + interval '1 day'
FROM old;

INSERT INTO delivery (id, organization_id, invitation_id, generation, status, attempts, give_up_at,
  message_id, repeated, postponed, settled_at, created_at, updated_at)
SELECT id, organization, id, 1, 'sent', 1, at + interval '3 days', id || '.1@localhost.localdomain', 0,
  false, at, at, at
FROM old;

-- The service forgets published jobs after a day: these are all of the last 20 hours.
INSERT INTO outbox (id, kind, subject_id, generation, available_at, tries, published_at, created_at)
SELECT id, 'email', id, 1, recent, 1, recent, recent
FROM (SELECT id, now() - interval '20 hours' * (1.0 - n / ROWS.0) AS recent FROM old) AS jobs;

INSERT INTO event (id, organization_id, invitation_id, kind, actor, data, created_at)
SELECT overlay(id::text PLACING lpad(to_hex(part), 4, '0') FROM 20 FOR 4)::uuid, organization, id,
  CASE part WHEN 32769 THEN 'invitation.created' WHEN 32770 THEN 'delivery.sent'
    ELSE 'invitation.' || status END,
  CASE part WHEN 32769 THEN 'key:01937a5c-8f5e-7c52-9d0b-6f6d2f0c5a11' WHEN 32770 THEN 'system'
    ELSE 'user:' || id END,
  CASE part WHEN 32769 THEN jsonb_build_object('role', 'member', 'delivery_id', id)
    WHEN 32770 THEN jsonb_build_object('delivery_id', id, 'generation', 1) ELSE '{}' END,
  at + (part - 32769) * interval '1 second'
FROM old, generate_series(32769, 32771) AS part;

-- What is counted of the last week; what is older is forgotten.
INSERT INTO tally (kind, subject, window_start, total, seen, forget_at)
SELECT 'organizations_per_recipient_per_week', sha256(email::bytea), date_trunc('week', now()), 1,
  organization::text, date_trunc('week', now()) + interval '7 days'
FROM old WHERE at > now() - interval '7 days';

DROP TABLE old;

DO $$ DECLARE definition text; BEGIN
  FOR definition IN SELECT indexdef FROM dropped LOOP EXECUTE definition; END LOOP;
END $$;
