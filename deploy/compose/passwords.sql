-- Gives the roles of deploy/postgres/roles.sql the passwords that are in their secrets; run by the
-- PostgreSQL image when it makes the database. To change one later, change the secret and run this again:
--
--   docker compose --file deploy/compose.yaml exec postgres \
--     psql --username=postgres --dbname=welcomat --file=/docker-entrypoint-initdb.d/20-passwords.sql
\set ON_ERROR_STOP on
\set owner `sed -E 's|^.*:([^:@]+)@.*$|\1|' /run/secrets/owner_database_url`
\set api `sed -E 's|^.*:([^:@]+)@.*$|\1|' /run/secrets/api_database_url`
\set worker `sed -E 's|^.*:([^:@]+)@.*$|\1|' /run/secrets/worker_database_url`
ALTER ROLE welcomat_owner PASSWORD :'owner';
ALTER ROLE welcomat_api PASSWORD :'api';
ALTER ROLE welcomat_worker PASSWORD :'worker';
