package coral.colony;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import coral.certificate.Authority;
import coral.certificate.CertificateAuthority;
import coral.certificate.CertificateProfile;
import coral.certificate.CertificateRequests;
import coral.certificate.KeyType;
import coral.certificate.Origin;
import coral.certificate.Payment;
import coral.model.AgentId;
import coral.model.ColonyId;
import coral.model.Failure;
import coral.rpc.ClientCertificate;
import coral.rpc.TrustsAll;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManager;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedKeyManager;
import org.apache.pekko.actor.ActorSelection;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.actor.BootstrapSetup;
import org.apache.pekko.actor.setup.ActorSystemSetup;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.Adapter;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Who reaches the actors of a colony from another process: its own nodes, and nobody else. */
@Timeout(120)
class ClusterPortTest {
  private static final InstantSource CLOCK = InstantSource.system();

  /** Another colony that calls itself the same: everything but its root is right. */
  private static final Authority FORGER = Authority.create(new ColonyId("shop-test-a1b2c3"), CLOCK);

  @TempDir Path directory;

  private int port;
  private TestColony colony;
  private Authority authority;

  @BeforeEach
  void start() throws IOException {
    try (ServerSocket free = new ServerSocket(0)) {
      port = free.getLocalPort();
    }
    colony =
        TestColony.start(
            directory,
            Map.of("coral.colony.actor-system.pekko.remote.artery.canonical.port", port));
    authority = Authority.load(directory.resolve("colony"));
  }

  @AfterEach
  void stop() {
    colony.close();
  }

  @Test
  void onlyACertificateOfANodeOfThisColonyGetsThrough() throws Exception {
    refused(Optional.empty());
    refused(Optional.of(issued(FORGER, CertificateProfile.nodeAsClient(authority.colonyId()))));
    refused(
        Optional.of(
            issued(
                authority, CertificateProfile.agent(authority.colonyId(), new AgentId("web-1")))));
    refused(Optional.of(issued(authority, CertificateProfile.server(authority.colonyId()))));
    refused(Optional.of(colony.bootstrap("web-2").certificate()));
    refused(Optional.of(colony.administrator()));
    ClientCertificate node =
        issued(authority, CertificateProfile.nodeAsClient(authority.colonyId()));
    assertThrows(
        SocketTimeoutException.class,
        () -> read(Optional.of(node)),
        "the colony waits for what its node has to say");
  }

  @Test
  void actorsAnswerANodeOfTheColonyAndNoStrangerOrNodeOfAnotherColony() throws Exception {
    AgentId victim = new AgentId("victim");
    try (Node plain = node("stranger", "tcp", FORGER);
        Node forged = node("forged", "tls-tcp", FORGER);
        Node real = node("real", "tls-tcp", authority)) {
      for (Node node : List.of(plain, forged)) {
        node.issue(victim);
      }
      real.issue(new AgentId("web-1"));
      assertEquals(
          CertificateAuthority.Issued.class,
          Objects.requireNonNull(real.answers.poll(20, TimeUnit.SECONDS)).getClass());
      assertNull(plain.answers.poll(2, TimeUnit.SECONDS));
      assertNull(forged.answers.poll());
      real.authority().tell(new CertificateAuthority.Status(victim, real.self), noSender());
      CertificateAuthority.Reply nothing = real.answers.poll(20, TimeUnit.SECONDS);
      assertEquals(
          Failure.NOT_FOUND,
          assertInstanceOf(CertificateAuthority.Refusal.class, nothing).refused().failure());
    }
  }

  private static org.apache.pekko.actor.ActorRef noSender() {
    return org.apache.pekko.actor.ActorRef.noSender();
  }

  /** Another process of this host, as far as the colony can tell. */
  private final class Node implements AutoCloseable {
    final ActorSystem system;
    final BlockingQueue<CertificateAuthority.Reply> answers = new LinkedBlockingQueue<>();
    final ActorRef<CertificateAuthority.Reply> self;

    Node(ActorSystem system) {
      this.system = system;
      this.self =
          Adapter.spawn(
              system,
              Behaviors.<CertificateAuthority.Reply>receiveMessage(
                  answer -> {
                    answers.add(answer);
                    return Behaviors.same();
                  }),
              "self");
    }

    ActorSelection authority() {
      return system.actorSelection(
          "pekko://coral-colony@127.0.0.1:"
              + port
              + "/system/singletonManagercertificate-authority/certificate-authority");
    }

    void issue(AgentId agentId) {
      byte[] request = CertificateRequests.create(agentId, KeyType.P_256.generate());
      authority()
          .tell(
              new CertificateAuthority.Issue(
                  agentId,
                  request,
                  new Payment.ColonySecret(),
                  Optional.empty(),
                  new Origin(Origin.ANYONE, "test", ""),
                  self),
              noSender());
    }

    @Override
    public void close() throws Exception {
      system.terminate();
      system.getWhenTerminated().toCompletableFuture().get(60, TimeUnit.SECONDS);
    }
  }

  private Node node(String name, String transport, Authority root) {
    Config config =
        ConfigFactory.parseMap(
                Map.of(
                    "pekko.coordinated-shutdown.run-by-actor-system-terminate",
                    false, // it would take its leave of a cluster that it never joined
                    "pekko.actor.provider",
                    "remote",
                    "pekko.remote.artery.transport",
                    transport,
                    "pekko.remote.artery.canonical.hostname",
                    "127.0.0.1",
                    "pekko.remote.artery.canonical.port",
                    0))
            .withFallback(colony.config());
    return new Node(
        ActorSystem.create(
            name,
            ActorSystemSetup.create(
                BootstrapSetup.create(config), NodeTransport.setup(root, CLOCK))));
  }

  private static ClientCertificate issued(Authority authority, CertificateProfile profile) {
    KeyPair keys = KeyType.P_256.generate();
    X509Certificate certificate =
        authority.issue(profile, keys.getPublic(), CLOCK.instant(), Duration.ofHours(1));
    return new ClientCertificate(keys.getPrivate(), authority.chain(certificate));
  }

  private void refused(Optional<ClientCertificate> shown) {
    // An alert, or a broken pipe where the connection was closed before the alert was read.
    IOException failure = assertThrows(IOException.class, () -> read(shown));
    assertFalse(failure instanceof SocketTimeoutException, "the connection stayed open");
  }

  /** In TLS 1.3 a client learns with the first byte it reads that its certificate was refused. */
  private void read(Optional<ClientCertificate> shown) throws Exception {
    SSLContext context = SSLContext.getInstance("TLSv1.3");
    context.init(keys(shown), new TrustManager[] {new TrustsAll()}, new SecureRandom());
    try (SSLSocket socket =
        (SSLSocket)
            context.getSocketFactory().createSocket(InetAddress.getLoopbackAddress(), port)) {
      socket.setSoTimeout(1000);
      socket.startHandshake();
      assertEquals(-2, socket.getInputStream().read(), "neither a byte nor an orderly end");
    }
  }

  private static KeyManager[] keys(Optional<ClientCertificate> shown) {
    return shown
        .map(certificate -> new KeyManager[] {new Always(certificate)})
        .orElse(new KeyManager[0]);
  }

  /** Shows its certificate whatever issuers the server names; the runtime's own would not. */
  private static final class Always extends X509ExtendedKeyManager {
    private final ClientCertificate certificate;

    Always(ClientCertificate certificate) {
      this.certificate = certificate;
    }

    @Override
    public String chooseClientAlias(String[] types, Principal[] issuers, Socket socket) {
      return "own";
    }

    @Override
    public X509Certificate[] getCertificateChain(String alias) {
      return certificate.chain().toArray(new X509Certificate[0]);
    }

    @Override
    public PrivateKey getPrivateKey(String alias) {
      return certificate.key();
    }

    @Override
    public String[] getClientAliases(String type, Principal[] issuers) {
      return new String[] {"own"};
    }

    @Override
    public String[] getServerAliases(String type, Principal[] issuers) {
      return new String[0];
    }

    @Override
    public String chooseServerAlias(String type, Principal[] issuers, Socket socket) {
      return "";
    }
  }
}
