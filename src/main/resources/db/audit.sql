-- What happened to identities. Rows are added at the end and never changed. Each has the hash of the one before it in
-- its own, so that a change shows. No index: the one writer numbers the rows, readers scan ranges of numbers, and an
-- index of years of rows would not fit the memory that the database may use.
CREATE TABLE IF NOT EXISTS audit_records (
  sequence       BIGINT    NOT NULL, -- from 1, without gaps
  time           TIMESTAMP NOT NULL, -- in UTC; never before that of the row before
  kind           VARCHAR   NOT NULL,
  actor          VARCHAR   NOT NULL,
  mesh_address   VARCHAR   NOT NULL,
  source_address VARCHAR   NOT NULL,
  subject        VARCHAR   NOT NULL,
  detail         VARCHAR   NOT NULL,
  request_id     VARCHAR   NOT NULL,
  hash           VARCHAR   NOT NULL  -- SHA-256 over the hash of the row before and this row, in hexadecimal digits
);

-- The Merkle root over the hashes of each hour's rows, signed.
CREATE TABLE IF NOT EXISTS audit_roots (
  first_sequence BIGINT    NOT NULL,
  last_sequence  BIGINT    NOT NULL PRIMARY KEY,
  hash           VARCHAR   NOT NULL,
  signed_at      TIMESTAMP NOT NULL,
  signature      VARCHAR   NOT NULL, -- base64
  certificates   VARCHAR   NOT NULL  -- PEM: the signer's first
);

-- How far each journal has been recorded, written in the transaction of its rows: each event is recorded once.
CREATE TABLE IF NOT EXISTS audit_journals (
  journal         VARCHAR PRIMARY KEY,
  sequence_number BIGINT NOT NULL
);
