package coral.cli;

/** The services of a colony that commands call, each with a slash at its end. */
final class Services {
  static final String COLONY = "coral.colony.v1.ColonyService/";
  static final String MESH = "coral.mesh.v1.MeshService/";
  static final String CERTIFICATES = "coral.colony.v1.CertificateService/";
  static final String INVITATIONS = "coral.colony.v1.InvitationService/";
  static final String SECRET = "coral.colony.v1.SecretService/";

  private Services() {}
}
