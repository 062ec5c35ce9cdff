-- The two roles and the database. Run once, as the operating system's user postgres, with the names of two files of
-- passwords that it may read (a password on a command line is there for everybody on the machine to see):
--   psql -h /run/muniment-database -p 50000 -v owner_file=… -v bank_file=… -f roles.sql
\set owner_password `cat :'owner_file'`
\set bank_password `cat :'bank_file'`
CREATE ROLE bank_owner LOGIN PASSWORD :'owner_password';
CREATE ROLE bank LOGIN PASSWORD :'bank_password';
CREATE DATABASE bank OWNER bank_owner;
-- Since version 15 nobody but the owner may make tables in it; before, everybody might.
REVOKE ALL ON DATABASE bank FROM PUBLIC;
GRANT CONNECT ON DATABASE bank TO bank;
\connect bank
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
