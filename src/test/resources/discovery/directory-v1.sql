-- The directory's file as it was before a colony could have two secrets, with one colony.
CREATE TABLE IF NOT EXISTS colonies (
  mesh_id          VARCHAR PRIMARY KEY,
  wireguard_pubkey VARCHAR NOT NULL,
  public_endpoints VARCHAR NOT NULL,
  mesh_ipv4        VARCHAR NOT NULL,
  mesh_ipv6        VARCHAR NOT NULL,
  connect_port     INTEGER NOT NULL,
  metadata         VARCHAR NOT NULL,
  secret_hash      VARCHAR NOT NULL,
  last_seen        BIGINT  NOT NULL,
  expires_at       BIGINT  NOT NULL,
  owned_since      BIGINT  NOT NULL
);
