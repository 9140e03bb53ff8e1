package coral.discovery;

import coral.model.ColonyId;
import coral.model.Ed25519PublicKey;
import coral.model.Failure;
import coral.model.RefusedException;
import java.time.Instant;
import java.util.Optional;

/**
 * Whom a mesh id belongs to: who holds this key. A secret is known to every host of the colony.
 *
 * @param sequence of the last request that was accepted; a request is accepted once
 * @param since when the key was shown first
 */
record Owner(Ed25519PublicKey key, long sequence, Instant since) {
  /**
   * Requires that a request was made by this owner, after all its requests before.
   *
   * @throws RefusedException MESH_ID_TAKEN for somebody else's, FAILED_PRECONDITION for an old one
   */
  void require(ColonyId meshId, Optional<OwnerClaim> claim) {
    if (claim.isEmpty()) {
      throw new RefusedException(
          Failure.MESH_ID_TAKEN,
          "the mesh id "
              + meshId
              + " belongs to the owner key "
              + key
              + ", and the colony's secret does not stand in for it: only the colony itself can"
              + " announce it or replace its secret");
    }
    if (!claim.get().key().equals(key)) {
      throw new RefusedException(
          Failure.MESH_ID_TAKEN,
          "the mesh id "
              + meshId
              + " belongs to the owner key "
              + key
              + ", not to "
              + claim.get().key()
              + ": bring back the colony's owner-key.pem; if it is lost, discovery's operator can"
              + " forget the mesh id");
    }
    if (claim.get().sequence() <= sequence) {
      throw new RefusedException(
          Failure.FAILED_PRECONDITION,
          "this request is not newer than the last one of its colony: ask again");
    }
  }

  /** The same after another request. */
  Owner after(OwnerClaim claim) {
    return new Owner(key, claim.sequence(), since);
  }
}
