package coral.cli;

import coral.files.Pem;
import coral.model.ColonyId;
import coral.rpc.ClientCertificate;
import coral.rpc.ClientTls;
import java.io.IOException;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/**
 * Whom a command asks as, and whom it believes: what is in a colony's folder, read when it is
 * needed, because a proxy needs neither.
 */
final class AskerIdentity {
  private static final String ADMINISTRATOR = "admin";
  private static final String CERTIFICATE = "cert.pem";
  private static final String KEY = "key.pem";
  private static final String AUTHORITIES = "ca-cert.pem";

  private final ColonyId colony;
  private final Path folder;
  private @Nullable SSLContext tls;
  private @Nullable List<X509Certificate> authorities;

  AskerIdentity(ColonyContext colony) {
    this.colony = colony.id();
    this.folder = colony.folder();
  }

  /** In the folder of a colony: where certificate and key of whoever asks are. */
  static Path directory(Path folder) {
    return folder.resolve(ADMINISTRATOR);
  }

  /** In the folder of a colony: the certificate of whoever asks, with what signed it. */
  static Path certificate(Path folder) {
    return directory(folder).resolve(CERTIFICATE);
  }

  /** In the folder of a colony: the key of whoever asks. */
  static Path key(Path folder) {
    return directory(folder).resolve(KEY);
  }

  /** In the folder of a colony: its roots. */
  static Path authorities(Path folder) {
    return folder.resolve(AUTHORITIES);
  }

  /**
   * The roots that the folder knows the colony by.
   *
   * @throws CommandFailedException if the folder lacks them
   */
  List<X509Certificate> authorities() {
    try {
      if (authorities == null) {
        authorities = Pem.readCertificates(authorities(folder));
      }
      return authorities;
    } catch (IOException e) {
      throw lacking(e);
    }
  }

  /**
   * This side of TLS with the colony.
   *
   * @throws CommandFailedException if the folder lacks something
   */
  SSLContext tls() {
    if (tls == null) {
      try {
        ClientCertificate own =
            new ClientCertificate(
                Pem.readPrivateKey(key(folder)), Pem.readCertificates(certificate(folder)));
        tls = ClientTls.trusting(authorities(), "spiffe://" + colony + "/colony", Optional.of(own));
      } catch (IOException e) {
        throw lacking(e);
      }
    }
    return tls;
  }

  private CommandFailedException lacking(IOException e) {
    return new CommandFailedException(
        "cannot ask colony " + colony + ": " + e.getMessage(),
        "A query needs a proxy that runs here ('coral proxy start "
            + colony
            + "'), or a certificate under\n"
            + folder
            + ": the administrator's certificate that 'coral init' put there, or one that\n"
            + "'coral context import' buys with an invitation of role viewer or operator.",
        e);
  }
}
