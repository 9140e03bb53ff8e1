package coral.discovery;

import coral.ownership.OwnerPublicKey;

/**
 * That the holder of a key made a request: its signature was verified.
 *
 * @param sequence of the request
 */
record OwnerClaim(OwnerPublicKey key, long sequence) {}
