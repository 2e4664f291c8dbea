-- Three roles for Welcomat: one owns the tables, two use them.
--
-- Once, as a superuser, in the database that Welcomat is to have:
--
--   psql --dbname=welcomat --file=roles.sql
--
-- then give each a way to log in (ALTER ROLE welcomat_api PASSWORD '…', or a client certificate).
-- After that, at the first start and at each upgrade: `welcomat migrate` as welcomat_owner, then
-- grants.sql as welcomat_owner. API and workers find the tables up to date and need no right to
-- change them.

CREATE ROLE welcomat_owner LOGIN;
CREATE ROLE welcomat_api LOGIN;
CREATE ROLE welcomat_worker LOGIN;

-- Before PostgreSQL 15 everybody may make tables here.
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO welcomat_owner;
GRANT USAGE ON SCHEMA public TO welcomat_api, welcomat_worker;
