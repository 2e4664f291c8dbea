-- What API and workers may do with the tables. Run as their owner, after every `welcomat migrate`:
--
--   psql --dbname=welcomat --username=welcomat_owner --file=grants.sql
--
-- It takes everything away first, so that it can be repeated and an older, wider right does not stay.

REVOKE ALL ON ALL TABLES IN SCHEMA public FROM welcomat_api, welcomat_worker;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM welcomat_api, welcomat_worker;

-- Both look whether the tables are up to date.
GRANT SELECT ON seaql_migrations TO welcomat_api, welcomat_worker;

-- The API: people, invitations and keys; the relay and the sweep of overdue invitations run in it.
GRANT SELECT, INSERT, UPDATE ON
  organization, "user", membership, invitation, delivery, outbox, api_key, suppression
  TO welcomat_api;
GRANT DELETE ON outbox, suppression TO welcomat_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON idempotency_key, tally TO welcomat_api;
GRANT SELECT, INSERT, DELETE ON console_session TO welcomat_api;
GRANT SELECT, DELETE ON former_token TO welcomat_api;
GRANT SELECT, UPDATE, DELETE ON dead_letter TO welcomat_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON batch, batch_row TO welcomat_api;
GRANT SELECT ON attempt TO welcomat_api;
-- Erasing a person takes them out of what was written about them: the words of a mail server, the payload of
-- an event, the subject of a token. That something happened, and when, stays.
GRANT UPDATE (detail) ON attempt TO welcomat_api;
GRANT UPDATE (data, actor) ON event TO welcomat_api;
GRANT UPDATE (actor) ON template TO welcomat_api;
-- A version of a template is written once; old ones are forgotten.
GRANT SELECT, INSERT, DELETE ON template TO welcomat_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON test_mail, logo TO welcomat_api;
-- Who looks at the console sees how many workers there are; those that went without a word are forgotten.
GRANT SELECT, DELETE ON worker TO welcomat_api;
-- Webhooks: the API manages them, replays, announces and forgets what was told.
GRANT SELECT, INSERT, UPDATE, DELETE ON
  webhook_endpoint, webhook_delivery, announcement, event_exchange
  TO welcomat_api;
GRANT SELECT, DELETE ON webhook_attempt TO welcomat_api;
-- The audit log grows; what happened and when never changes.
GRANT SELECT, INSERT ON event TO welcomat_api;
-- Organizations, users and memberships have numbers.
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO welcomat_api;

-- The worker: claims a delivery, keeps the secret beside its invitation, reports. It reads whom an
-- invitation is from, and makes nobody: no organization, user, membership, invitation or key.
GRANT SELECT ON organization, "user", membership, template TO welcomat_worker;
GRANT SELECT, UPDATE ON invitation, delivery, test_mail TO welcomat_worker;
GRANT SELECT, INSERT, UPDATE ON outbox, suppression TO welcomat_worker;
GRANT SELECT, INSERT ON attempt, dead_letter TO welcomat_worker;
-- Each says that it is there, and when it goes.
GRANT SELECT, INSERT, UPDATE, DELETE ON worker TO welcomat_worker;
-- The links that stay good beside a newer one, and until when.
GRANT SELECT, INSERT ON former_token TO welcomat_worker;
GRANT UPDATE (valid_until) ON former_token TO welcomat_worker;
GRANT INSERT ON event TO welcomat_worker;
GRANT DELETE ON idempotency_key TO welcomat_worker;
-- Of events it says who is to be told and tells them; an endpoint it can but switch off.
GRANT SELECT ON webhook_endpoint, event_exchange TO welcomat_worker;
GRANT UPDATE (failing_since, disabled_at, disabled_reason, updated_at)
  ON webhook_endpoint TO welcomat_worker;
GRANT SELECT, INSERT, UPDATE ON webhook_delivery TO welcomat_worker;
GRANT SELECT, INSERT ON announcement TO welcomat_worker;
GRANT INSERT ON webhook_attempt TO welcomat_worker;
