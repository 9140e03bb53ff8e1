package coral.cli;

import coral.files.Pem;
import coral.model.ColonyId;
import coral.model.Endpoint;
import coral.model.Fingerprint;
import coral.model.InvitationText;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.CertificateEncodingException;
import java.util.Optional;

/**
 * What the folder of a colony tells a proxy that starts for the first time.
 *
 * @param endpoint where the colony answers if it is not looked up
 * @param inviter the folder with the certificate by which a proxy invites itself
 */
record ProxyContext(
    Optional<Fingerprint> authority,
    Optional<InvitationText.Discovery> discovery,
    Optional<Endpoint> endpoint,
    Optional<Path> inviter) {
  private static final ProxyContext NONE =
      new ProxyContext(Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty());

  /**
   * That of a colony; nothing if it has no folder here.
   *
   * @throws CommandFailedException if what is in the folder makes no sense
   */
  static ProxyContext of(CoralCommand root, ColonyId id) {
    if (!Files.isDirectory(root.home().colony(id))) {
      return NONE;
    }
    ColonyContext colony = ColonyContext.load(root.home(), id, root.environment());
    return new ProxyContext(
        authority(AskerIdentity.authorities(colony.folder())),
        colony.discovery(),
        colony.discovery().isPresent()
            ? Optional.empty()
            : colony.own().or(() -> colony.endpoints().stream().findFirst()),
        Files.exists(AskerIdentity.certificate(colony.folder()))
            ? Optional.of(AskerIdentity.directory(colony.folder()))
            : Optional.empty());
  }

  private static Optional<Fingerprint> authority(Path file) {
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    try {
      return Optional.of(Fingerprint.of(Pem.readCertificates(file).get(0).getEncoded()));
    } catch (IOException | CertificateEncodingException e) {
      throw new CommandFailedException(
          "the colony's authority cannot be read: " + e.getMessage(),
          "Give its fingerprint with --ca-fingerprint.",
          e);
    }
  }
}
