package coral.agent;

import coral.files.Pem;
import coral.files.SecureFiles;
import coral.model.ColonyId;
import coral.model.Endpoint;
import coral.model.InvitationText;
import coral.proxy.AccessToken;
import coral.proxy.CallerRoots;
import coral.proxy.ProxyListener;
import coral.rpc.CallerIdentity;
import coral.rpc.Role;
import coral.rpc.ServerTls;
import coral.settings.SettingsException;
import coral.settings.SettingsReader;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The listener on this host; each part is documented at {@code coral.agent.proxy} in {@code
 * agent.conf}.
 *
 * @param isStandalone whether the process is a proxy and nothing else: with an identity of its own,
 *     a WireGuard key that no disk sees, and nothing left of it at its end
 */
public record ProxySettings(ProxyListener listener, boolean isStandalone) {
  /** Linux, IFNAMSIZ less the terminating null. */
  private static final int MAX_INTERFACE_NAME = 15;

  private static final String INTERFACE_PREFIX = "coral-";

  /** Empty if there is to be none. */
  static Optional<ProxySettings> from(SettingsReader reader, ColonyId colonyId) {
    boolean isStandalone = reader.flag("standalone");
    if (!isStandalone && !reader.flag("enabled")) {
      return Optional.empty();
    }
    try {
      return Optional.of(
          new ProxySettings(
              new ProxyListener(
                  address(reader),
                  remote(reader, colonyId),
                  Set.copyOf(reader.strings("allowed-origins"))),
              isStandalone));
    } catch (IllegalArgumentException e) {
      throw new SettingsException("coral.agent.proxy: " + e.getMessage(), e);
    }
  }

  /** A name is resolved, as every program that listens resolves it. */
  private static InetSocketAddress address(SettingsReader reader) {
    String host = reader.value("listen.host", "a name or an address", text -> text);
    int port = reader.integer("listen.port", 0, 65535);
    try {
      return new InetSocketAddress(InetAddress.getByName(host), port);
    } catch (UnknownHostException e) {
      throw reader.invalid("listen.host", "a name or an address of this host");
    }
  }

  /** Whoever calls from elsewhere shows a certificate of the colony, or a token. */
  private static Optional<ProxyListener.Remote> remote(SettingsReader reader, ColonyId colonyId) {
    Optional<Path> certificate = reader.optionalPath("remote.certificate-file");
    Optional<Path> key = reader.optionalPath("remote.key-file");
    Optional<Path> token = reader.optionalPath("remote.token-file");
    boolean takesCertificates = reader.flag("remote.client-certificates");
    if (certificate.isEmpty() && key.isEmpty() && token.isEmpty() && !takesCertificates) {
      return Optional.empty();
    }
    if (certificate.isEmpty() || key.isEmpty() || (token.isEmpty() && !takesCertificates)) {
      throw new SettingsException(
          "coral.agent.proxy.remote: certificate-file and key-file come together, and with"
              + " token-file, client-certificates or both");
    }
    try {
      PrivateKey own = Pem.readPrivateKey(key.get());
      List<X509Certificate> chain = Pem.readCertificates(certificate.get());
      CallerRoots roots = new CallerRoots();
      return Optional.of(
          new ProxyListener.Remote(
              // The colony says at each call whether the certificate is good still.
              takesCertificates
                  ? ServerTls.trusting(own, chain, roots, shown -> true)
                  : ServerTls.of(own, chain, Optional.empty(), shown -> false),
              roots,
              takesCertificates
                  ? CallerIdentity.ofColony(colonyId, shown -> true, InstantSource.system())
                  : CallerIdentity.none(),
              token.isPresent() ? Optional.of(accessToken(token.get())) : Optional.empty()));
    } catch (IOException e) {
      throw new SettingsException("coral.agent.proxy.remote: " + e.getMessage(), e);
    }
  }

  private static AccessToken accessToken(Path file) throws IOException {
    String text =
        new String(
            SecureFiles.readPrivate(file, InvitationText.MAX_LENGTH), StandardCharsets.UTF_8);
    return AccessToken.of(text.strip(), Role.VIEWER, "remote");
  }

  /** Where callers reach the listener. */
  static Endpoint endpoint(InetSocketAddress bound) {
    return new Endpoint(bound.getAddress().getHostAddress(), bound.getPort());
  }

  /**
   * The name of a proxy's interface: {@code coral-} and the end of the colony's id, where ids
   * differ most, from a dash on.
   */
  static String interfaceName(ColonyId colonyId) {
    int room = MAX_INTERFACE_NAME - INTERFACE_PREFIX.length();
    String id = colonyId.value();
    int cut = Math.max(0, id.length() - room);
    int dash = cut == 0 ? -1 : id.indexOf('-', cut - 1);
    String end = id.substring(dash >= 0 && dash < id.length() - 1 ? dash + 1 : cut);
    return INTERFACE_PREFIX + end;
  }
}
