package coral.discovery;

import coral.api.discovery.v1.OwnerProof;
import coral.api.discovery.v1.RegisterColonyRequest;
import coral.model.Ed25519PublicKey;
import coral.model.Secret;
import coral.ownership.AnnouncementStatement;
import coral.ownership.OwnerStatement;

/** Owners' proofs as messages. */
final class OwnerProofs {
  private OwnerProofs() {}

  /** What a registration has to be signed as. */
  static OwnerStatement statement(RegisterColonyRequest in, Secret secret) {
    return new AnnouncementStatement(
        in.getMeshId(),
        in.getWireguardPubkey(),
        in.getPublicEndpointsList(),
        in.getMeshIpv4(),
        in.getMeshIpv6(),
        in.getConnectPort(),
        in.getMetadataMap(),
        secret);
  }

  /**
   * What a proof claims; whether it {@link #holds} is another question.
   *
   * @throws IllegalArgumentException naming the field that is out of bounds
   */
  static OwnerClaim claim(OwnerProof proof) {
    if (proof.getSequence() < 1) {
      throw new IllegalArgumentException("owner.sequence is at least 1");
    }
    if (proof.getSignature().size() != Ed25519PublicKey.SIGNATURE_LENGTH) {
      throw new IllegalArgumentException(
          "owner.signature has " + Ed25519PublicKey.SIGNATURE_LENGTH + " bytes");
    }
    return new OwnerClaim(
        Ed25519PublicKey.of(proof.getPublicKey().toByteArray()), proof.getSequence());
  }

  /** Whether the key's holder signed the statement. */
  static boolean holds(OwnerProof proof, OwnerClaim claim, OwnerStatement statement) {
    return claim
        .key()
        .verifies(statement.bytes(claim.sequence()), proof.getSignature().toByteArray());
  }
}
