package coral.colony;

import coral.certificate.Authority;
import coral.certificate.CertificateProfile;
import coral.certificate.KeyType;
import coral.rpc.ClientCertificate;
import coral.rpc.NodeTls;
import java.security.KeyPair;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import javax.net.ssl.SSLEngine;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.remote.artery.tcp.ConfigSSLEngineProvider;
import org.apache.pekko.remote.artery.tcp.SSLEngineProviderSetup;
import org.jspecify.annotations.Nullable;

/**
 * The TLS of the cluster's own port. A node shows a certificate that the colony issued to it, whose
 * key is made in memory and never leaves it: there is no file to steal and nothing to configure.
 */
final class NodeTransport extends ConfigSSLEngineProvider {
  /** The key lives as long as the process; what is short-lived need not be revoked. */
  private static final Duration VALIDITY = Duration.ofDays(1);

  private final Authority authority;
  private final InstantSource clock;
  private final NodeTls tls;
  private final Shown asServer;
  private final Shown asClient;

  private NodeTransport(ActorSystem system, Authority authority, InstantSource clock) {
    super(system);
    this.authority = authority;
    this.clock = clock;
    this.asServer = new Shown(CertificateProfile.nodeAsServer(authority.colonyId()));
    this.asClient = new Shown(CertificateProfile.nodeAsClient(authority.colonyId()));
    this.tls =
        new NodeTls(
            asServer::current,
            asClient::current,
            () -> authority.trustBundle().roots(),
            asServer.profile.uri().toString());
  }

  /**
   * For the start of an actor system. Instead of the key stores that Pekko's own provider reads.
   */
  static SSLEngineProviderSetup setup(Authority authority, InstantSource clock) {
    return SSLEngineProviderSetup.create(system -> new NodeTransport(system, authority, clock));
  }

  @Override
  public SSLEngine createServerSSLEngine(String hostname, int port) {
    return tls.serverEngine();
  }

  @Override
  public SSLEngine createClientSSLEngine(String hostname, int port) {
    return tls.clientEngine();
  }

  /** Issued anew for the first connection in the second half of its life. */
  private final class Shown {
    private final CertificateProfile profile;
    private @Nullable ClientCertificate own;
    private Instant renewal = Instant.MIN;

    private Shown(CertificateProfile profile) {
      this.profile = profile;
    }

    private synchronized ClientCertificate current() {
      ClientCertificate current = own;
      Instant now = clock.instant();
      if (current == null || !now.isBefore(renewal)) {
        KeyPair keys = KeyType.P_256.generate();
        X509Certificate leaf = authority.issue(profile, keys.getPublic(), now, VALIDITY);
        current = new ClientCertificate(keys.getPrivate(), authority.chain(leaf));
        own = current;
        renewal = now.plus(VALIDITY.dividedBy(2));
      }
      return current;
    }
  }
}
