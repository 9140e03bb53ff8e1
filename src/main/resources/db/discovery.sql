-- What colonies announced. Secrets are here as Argon2id hashes only.
CREATE TABLE IF NOT EXISTS colonies (
  mesh_id          VARCHAR PRIMARY KEY,
  wireguard_pubkey VARCHAR NOT NULL,
  public_endpoints VARCHAR NOT NULL, -- a JSON array of "host:port"
  mesh_ipv4        VARCHAR NOT NULL,
  mesh_ipv6        VARCHAR NOT NULL, -- empty for a mesh without IPv6
  connect_port     INTEGER NOT NULL,
  metadata         VARCHAR NOT NULL, -- a JSON object
  secret_hash      VARCHAR NOT NULL, -- a PHC string
  last_seen        BIGINT  NOT NULL, -- milliseconds since 1970
  expires_at       BIGINT  NOT NULL, -- milliseconds since 1970
  owned_since      BIGINT  NOT NULL  -- milliseconds since 1970: the owner's first announcement
);

-- The secret that a colony had before its present one, until it ends. A table of its own: a file that is older than it
-- is opened as it is, and an older version opens this one.
CREATE TABLE IF NOT EXISTS former_secrets (
  mesh_id     VARCHAR PRIMARY KEY,
  secret_hash VARCHAR NOT NULL, -- a PHC string, with the salt of the present one
  ends_at     BIGINT  NOT NULL  -- milliseconds since 1970
);

-- Whom a mesh id belongs to, once it has shown a key. A table of its own for the same reason.
CREATE TABLE IF NOT EXISTS colony_owners (
  mesh_id    VARCHAR PRIMARY KEY,
  public_key VARCHAR NOT NULL, -- Ed25519, 32 bytes in base64
  sequence   BIGINT  NOT NULL, -- of the last request that was accepted
  since      BIGINT  NOT NULL  -- milliseconds since 1970: when the key was shown first
);
