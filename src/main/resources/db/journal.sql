-- The journal and the snapshots of pekko-persistence-jdbc. Differs from its PostgreSQL schema where DuckDB does: a
-- sequence instead of BIGSERIAL, BLOB instead of BYTEA, no foreign key from tags to events.
CREATE SEQUENCE IF NOT EXISTS event_journal_ordering_seq START 1;

CREATE TABLE IF NOT EXISTS event_journal (
  ordering           BIGINT       NOT NULL DEFAULT nextval('event_journal_ordering_seq'),
  deleted            BOOLEAN      NOT NULL DEFAULT FALSE,
  persistence_id     VARCHAR(255) NOT NULL,
  sequence_number    BIGINT       NOT NULL,
  writer             VARCHAR(255) NOT NULL,
  write_timestamp    BIGINT       NOT NULL,
  adapter_manifest   VARCHAR(255),
  event_ser_id       INTEGER      NOT NULL,
  event_ser_manifest VARCHAR(255) NOT NULL,
  event_payload      BLOB         NOT NULL,
  meta_ser_id        INTEGER,
  meta_ser_manifest  VARCHAR(255),
  meta_payload       BLOB,
  PRIMARY KEY (persistence_id, sequence_number)
);

CREATE UNIQUE INDEX IF NOT EXISTS event_journal_ordering_idx ON event_journal (ordering);

CREATE TABLE IF NOT EXISTS event_tag (
  event_id BIGINT       NOT NULL,
  tag      VARCHAR(256) NOT NULL,
  PRIMARY KEY (event_id, tag)
);

CREATE TABLE IF NOT EXISTS snapshot (
  persistence_id        VARCHAR(255) NOT NULL,
  sequence_number       BIGINT       NOT NULL,
  created               BIGINT       NOT NULL,
  snapshot_ser_id       INTEGER      NOT NULL,
  snapshot_ser_manifest VARCHAR(255) NOT NULL,
  snapshot_payload      BLOB         NOT NULL,
  meta_ser_id           INTEGER,
  meta_ser_manifest     VARCHAR(255),
  meta_payload          BLOB,
  PRIMARY KEY (persistence_id, sequence_number)
);

-- One row that /ready writes: the only proof that the file can be written is to write it.
CREATE TABLE IF NOT EXISTS write_probe (
  id     INTEGER PRIMARY KEY,
  writes BIGINT  NOT NULL
);
