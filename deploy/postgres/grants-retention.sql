-- What the API may do beside grants.sql where retention.delete_after_days is set, and only there: without it,
-- nobody who takes over the API can delete what it has done from the audit log. Run it after grants.sql:
--
--   psql --dbname=welcomat --username=welcomat_owner --file=grants-retention.sql

GRANT DELETE ON event, attempt, delivery TO welcomat_api;
