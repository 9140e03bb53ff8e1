package coral.agent;

import coral.certificate.Identity;
import coral.model.Secret;

/** What the agent buys a certificate with. */
sealed interface Payment {
  /** The name in reports, and in the colony's audit. */
  String kind();

  /** What it means that the colony does not take it. */
  JoinFailure.Kind refused();

  /** A registration token of discovery. */
  record Token(Secret token) implements Payment {
    @Override
    public String kind() {
      return "token";
    }

    @Override
    public JoinFailure.Kind refused() {
      return JoinFailure.Kind.TOKEN_REFUSED;
    }
  }

  /** The one-time secret of an invitation. */
  record Invitation(Secret secret) implements Payment {
    @Override
    public String kind() {
      return "invitation";
    }

    @Override
    public JoinFailure.Kind refused() {
      return JoinFailure.Kind.INVITATION_REFUSED;
    }
  }

  /** The colony's secret itself, for colonies that know no tokens. */
  record ColonySecret(Secret secret) implements Payment {
    @Override
    public String kind() {
      return "colony-secret";
    }

    @Override
    public JoinFailure.Kind refused() {
      return JoinFailure.Kind.WRONG_SECRET;
    }
  }

  /** A renewal: the certificate in use, shown in the TLS handshake. */
  record Certificate(Identity identity) implements Payment {
    @Override
    public String kind() {
      return "certificate";
    }

    @Override
    public JoinFailure.Kind refused() {
      return JoinFailure.Kind.CERTIFICATE_REFUSED;
    }
  }
}
