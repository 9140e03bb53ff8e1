package coral.agent;

import coral.files.Pem;
import coral.files.SecureFiles;
import coral.model.ColonyId;
import coral.model.Endpoint;
import coral.model.InvitationText;
import coral.proxy.AccessToken;
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
  static Optional<ProxySettings> from(SettingsReader reader) {
    boolean isStandalone = reader.flag("standalone");
    if (!isStandalone && !reader.flag("enabled")) {
      return Optional.empty();
    }
    try {
      return Optional.of(
          new ProxySettings(
              new ProxyListener(
                  address(reader), remote(reader), Set.copyOf(reader.strings("allowed-origins"))),
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

  /**
   * Whoever calls from elsewhere shows a token. Not a certificate of the colony: whether that is
   * good still is known to the colony alone.
   */
  private static Optional<ProxyListener.Remote> remote(SettingsReader reader) {
    Optional<Path> certificate = reader.optionalPath("remote.certificate-file");
    Optional<Path> key = reader.optionalPath("remote.key-file");
    Optional<Path> token = reader.optionalPath("remote.token-file");
    if (certificate.isEmpty() && key.isEmpty() && token.isEmpty()) {
      return Optional.empty();
    }
    if (certificate.isEmpty() || key.isEmpty() || token.isEmpty()) {
      throw new SettingsException(
          "coral.agent.proxy.remote: certificate-file, key-file and token-file come together");
    }
    try {
      String text =
          new String(
              SecureFiles.readPrivate(token.get(), InvitationText.MAX_LENGTH),
              StandardCharsets.UTF_8);
      return Optional.of(
          new ProxyListener.Remote(
              ServerTls.of(
                  Pem.readPrivateKey(key.get()),
                  Pem.readCertificates(certificate.get()),
                  Optional.empty(),
                  unused -> false),
              CallerIdentity.none(),
              Optional.of(AccessToken.of(text.strip(), Role.VIEWER, "remote"))));
    } catch (IOException e) {
      throw new SettingsException("coral.agent.proxy.remote: " + e.getMessage(), e);
    }
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
