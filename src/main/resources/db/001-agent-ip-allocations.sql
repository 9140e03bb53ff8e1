-- RFD 019: who holds which address. A projection of the journal: it can be dropped, and is rebuilt at the next start.
CREATE TABLE IF NOT EXISTS agent_ip_allocations (
  agent_id     TEXT PRIMARY KEY,
  ip_address   TEXT NOT NULL UNIQUE,
  allocated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
  last_seen    TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE INDEX IF NOT EXISTS idx_ip_address ON agent_ip_allocations (ip_address);

CREATE INDEX IF NOT EXISTS idx_last_seen ON agent_ip_allocations (last_seen);

-- How far a projection has read the journal, written in the transaction of its rows. The number of rows shows that
-- nobody dropped or emptied the table since.
CREATE TABLE IF NOT EXISTS projection_offset (
  projection      TEXT PRIMARY KEY,
  sequence_number BIGINT NOT NULL,
  row_count       BIGINT NOT NULL
);

-- What the rows were computed with besides the journal, such as the subnet. With anything else they are computed anew.
ALTER TABLE projection_offset ADD COLUMN IF NOT EXISTS version TEXT DEFAULT '';
