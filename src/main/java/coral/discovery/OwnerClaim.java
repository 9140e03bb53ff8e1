package coral.discovery;

import coral.model.Ed25519PublicKey;

/**
 * That the holder of a key made a request: its signature was verified.
 *
 * @param sequence of the request
 */
record OwnerClaim(Ed25519PublicKey key, long sequence) {}
