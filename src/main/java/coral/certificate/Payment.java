package coral.certificate;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import coral.model.Secret;
import java.time.Instant;

/**
 * What a certificate is bought with. The edge has checked whether it is genuine; whether it is
 * still good for anything is the ledger's decision, made in the write that spends it.
 */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME)
@JsonSubTypes({
  @JsonSubTypes.Type(value = Payment.Certificate.class, name = "certificate"),
  @JsonSubTypes.Type(value = Payment.Token.class, name = "token"),
  @JsonSubTypes.Type(value = Payment.Invitation.class, name = "invitation"),
  @JsonSubTypes.Type(value = Payment.ColonySecret.class, name = "colony-secret")
})
public sealed interface Payment {
  /** The name in the journal, in tables and in the audit. */
  String kind();

  /**
   * A renewal: the certificate that the caller proved to hold in the TLS handshake.
   *
   * @param serial in lower-case hexadecimal digits
   */
  record Certificate(String serial) implements Payment {
    @Override
    public String kind() {
      return "certificate";
    }
  }

  /**
   * A registration token whose signature and claims were verified.
   *
   * @param tokenId its {@code jti}
   * @param keyHash the SHA-256 of the SubjectPublicKeyInfo that the token is bound to, in 64
   *     lower-case hexadecimal digits
   * @param role what its holder wants to be: the token does not say
   */
  record Token(
      String tokenId, Instant issuedAt, Instant expiresAt, String keyHash, CertificateRole role)
      implements Payment {
    /**
     * @throws IllegalArgumentException for a role that nobody may choose for itself
     */
    public Token {
      if (!role.isMember()) {
        throw new IllegalArgumentException("a token buys no role '" + role + "'");
      }
    }

    @Override
    public String kind() {
      return "token";
    }
  }

  /**
   * An invitation.
   *
   * @param secretHash what {@link InvitationSecrets#hash} makes of the secret that a stranger sent
   */
  record Invitation(String secretHash) implements Payment {
    /** The invitation of this secret, which goes no further. */
    public static Invitation of(Secret secret) {
      return new Invitation(InvitationSecrets.hash(secret));
    }

    @Override
    public String kind() {
      return "invitation";
    }
  }

  /** The colony's secret, which all agents share; for migration only. */
  record ColonySecret() implements Payment {
    @Override
    public String kind() {
      return "colony-secret";
    }
  }
}
