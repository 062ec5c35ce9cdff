-- The two roles and the database. Run once, as the operating system's user postgres:
--   psql -h /run/muniment-database -p 50000 -v owner_password=… -v bank_password=… -f roles.sql
CREATE ROLE bank_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE bank LOGIN PASSWORD :'bank_password';
CREATE DATABASE bank OWNER bank_owner;
-- Since version 15 nobody but the owner may make tables in it; before, everybody might.
REVOKE ALL ON DATABASE bank FROM PUBLIC;
GRANT CONNECT ON DATABASE bank TO bank;
\connect bank
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
