-- RFD 020 (mTLS draft): every certificate that was issued. A projection of the journal: it can be dropped, and is rebuilt
-- at the next start. Keyed by serial number, not by agent, so that a new certificate never hides the history of an old
-- one. No index on what changes (state, revoked): DuckDB would turn its updates into deletions and insertions.
CREATE TABLE IF NOT EXISTS agent_certificates (
  serial_number     TEXT PRIMARY KEY,
  agent_id          TEXT NOT NULL,
  generation        BIGINT NOT NULL, -- of the agent id, from 1 on, without gaps
  role              TEXT NOT NULL,   -- agent, proxy, viewer, operator, admin
  state             TEXT NOT NULL,   -- next, current, superseded, frozen, revoked
  certificate       TEXT NOT NULL,   -- PEM
  issuer            TEXT NOT NULL,
  fingerprint       TEXT NOT NULL,
  key_hash          TEXT NOT NULL,
  payment           TEXT NOT NULL,   -- certificate, token, invitation, colony-secret
  issued_at         TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
  expires_at        TIMESTAMP NOT NULL,
  revoked           BOOLEAN NOT NULL DEFAULT FALSE,
  revoked_at        TIMESTAMP,
  revocation_reason TEXT,
  UNIQUE (agent_id, generation)
);

CREATE INDEX IF NOT EXISTS idx_agent_certificates_agent_id ON agent_certificates (agent_id);

-- One row for each agent id: the certificate in use, or else the newest one.
CREATE VIEW IF NOT EXISTS current_agent_certificates AS
SELECT *
FROM agent_certificates
QUALIFY row_number() OVER (
  PARTITION BY agent_id
  ORDER BY CASE state WHEN 'current' THEN 0 WHEN 'superseded' THEN 2 ELSE 1 END, generation DESC
) = 1;
