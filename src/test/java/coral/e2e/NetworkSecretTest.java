package coral.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.certificate.Identity;
import coral.certificate.KeyType;
import coral.e2e.NamespaceMesh.Contact;
import coral.e2e.NamespaceMesh.Payment;
import coral.model.Fingerprint;
import coral.rpc.ClientCertificate;
import coral.rpc.ClientTls;
import coral.testing.NetworkTopology;
import java.io.IOException;
import java.math.BigInteger;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPrivateKey;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.naming.ldap.LdapName;
import javax.naming.ldap.Rdn;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * RFD 020 (token draft): "the colony secret is never sent to the colony". What agents say while
 * they join is searched twice: on the wire, where it is encrypted, and inside of it, by relays that
 * have the keys of the colony, of discovery and of the agents. Each search must find what is there.
 */
@DisplayName("the secret is never sent to the colony")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@Timeout(180)
class NetworkSecretTest {
  private static final int RELAYED_COLONY = 9443;
  private static final int RELAYED_DISCOVERY = 8443;
  private static final int CONTROLLED_COLONY = 9444;
  private static final int CONTROL_PORT = 7777;

  /** A JSON Web Signature by Ed25519, whose 64 bytes have 86 digits of base64url. */
  private static final Pattern TOKEN =
      Pattern.compile("eyJ[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]{86}");

  private Path home;
  private NetworkState hostBefore;
  private NamespaceMesh mesh;
  private final List<AutoCloseable> open = new ArrayList<>();

  /** Of the hub and of the hosts of the agents that join by a token, since before the start. */
  private final List<PacketCapture> captures = new ArrayList<>();

  /** The colony would take the secret, so that nothing but the agents keeps it from it. */
  @BeforeAll
  @Timeout(120)
  void startColony(@TempDir Path home) throws Exception {
    NetworkTopology.assumePossible();
    PacketCapture.assumePossible();
    this.home = home;
    hostBefore = NetworkState.now();
    mesh = NamespaceMesh.create(home, 3, KeyType.P_256);
    captures.add(capture(mesh.topology()::inHub, "hub"));
    for (int host = 0; host < 2; host++) {
      captures.add(capture(mesh.topology().host(host)::call, "host-" + host));
    }
    mesh.startDiscovery();
    mesh.startColony(
        NamespaceMesh.PORT, NamespaceMesh.WIREGUARD, "legacy.accept-colony-secret = true");
  }

  @AfterAll
  void endEverything() throws Exception {
    try {
      for (AutoCloseable each : open) {
        each.close();
      }
    } finally {
      if (mesh != null) {
        mesh.close();
      }
    }
  }

  @Test
  @Order(1)
  void neitherTheNetworkNorTheColonyHearsTheSecretOfAgentsThatJoinWithIt(TestReporter reporter)
      throws Exception {
    String secret = mesh.created().secret().reveal();
    WantedSecret wanted = WantedSecret.of("the colony's secret", secret);
    TlsRelay colony = relayToColony(RELAYED_COLONY);
    TlsRelay discovery = relayToDiscovery(RELAYED_DISCOVERY);
    Contact relayed = Contact.at(RELAYED_COLONY, RELAYED_DISCOVERY);
    List<Agent> agents = new ArrayList<>();
    for (int host = 0; host < 2; host++) {
      agents.add(mesh.startAgent("web-" + host, host, Payment.TOKEN, relayed));
    }
    for (Agent agent : agents) {
      agent.awaitJoined(0);
      assertTrue(isPaidWith("token", agent), agent.process()::log);
    }
    StringBuilder figures = new StringBuilder();
    List<WantedSecret> keys = privateKeys("web-0", "web-1");

    // Inside of TLS.
    String toDiscovery = text(discovery.saidByClients());
    String fromDiscovery = text(discovery.saidByServer());
    String toColony = text(colony.saidByClients());
    String fromColony = text(colony.saidByServer());
    assertEquals(List.of(), colony.failures());
    assertEquals(List.of(), discovery.failures());
    assertEquals(List.of("plain"), wanted.foundIn(toDiscovery), "discovery is told the secret");
    Set<String> tokens = tokens(fromDiscovery);
    assertEquals(2, tokens.size(), "a token for each agent");
    assertEquals(tokens, tokens(toColony), "the colony is told the tokens");
    assertEquals(Set.of(), tokens(fromColony));
    assertTrue(toColony.contains("coral.mesh.v1.MeshService/Session"), "headers of HTTP/2 too");
    Map<String, String> heard = new LinkedHashMap<>();
    heard.put("to the colony", toColony);
    heard.put("from the colony", fromColony);
    heard.put("from discovery", fromDiscovery);
    heard.forEach((where, text) -> assertNotIn(text, where, List.of(wanted)));
    heard.put("to discovery", toDiscovery);
    heard.forEach((where, text) -> assertNotIn(text, where, keys));
    heard.forEach(
        (where, text) -> figures.append("%s: %d characters%n".formatted(where, text.length())));

    // On the wire.
    List<WantedSecret> unreadable = new ArrayList<>(keys);
    unreadable.add(wanted);
    tokens.forEach(token -> unreadable.add(WantedSecret.of("a token", token)));
    for (PacketCapture capture : captures) {
      int packets = capture.stop();
      String content = capture.content();
      assertNotIn(content, capture.toString(), unreadable);
      assertTrue(packets > 100, () -> capture + " has " + packets + " packets");
      figures.append("%s: %d packets, %d bytes%n".formatted(capture, packets, content.length()));
    }
    figures.append(
        "searched for %d secrets in %d forms each%n"
            .formatted(unreadable.size(), wanted.forms().size()));
    reporter.publishEntry("searched", figures.toString());
  }

  /** The control of the search inside of TLS: an agent as they were before there were tokens. */
  @Test
  @Order(2)
  void theSearchFindsTheSecretOfALegacyAgentInWhatTheColonyIsTold() throws Exception {
    WantedSecret wanted = WantedSecret.of("the colony's secret", mesh.created().secret().reveal());
    TlsRelay colony = relayToColony(CONTROLLED_COLONY);
    Agent agent =
        mesh.startAgent(
            "legacy",
            2,
            Payment.LEGACY_SECRET,
            Contact.at(CONTROLLED_COLONY, NamespaceMesh.DISCOVERY_PORT));
    agent.awaitJoined(0);
    assertFalse(isPaidWith("token", agent), agent.process()::log);
    assertEquals(List.of("plain"), wanted.foundIn(text(colony.saidByClients())));
    assertEquals(List.of(), wanted.foundIn(text(colony.saidByServer())));
  }

  /** The control of the search on the wire: every form, said in plaintext from host to hub. */
  @Test
  @Order(3)
  void theSearchFindsEveryFormOfTheSecretInACaptureOfPlaintext() throws Exception {
    WantedSecret wanted = WantedSecret.of("the colony's secret", mesh.created().secret().reveal());
    try (PacketCapture hub = capture(mesh.topology()::inHub, "control");
        ServerSocket server = mesh.topology().inHub(() -> new ServerSocket(CONTROL_PORT))) {
      InetAddress there = InetAddress.getByName(NamespaceMesh.WIREGUARD.host());
      try (Socket socket = mesh.topology().on(2, () -> new Socket(there, CONTROL_PORT));
          Socket accepted = server.accept()) {
        for (String form : wanted.forms().values()) {
          byte[] bytes = form.getBytes(StandardCharsets.ISO_8859_1);
          socket.getOutputStream().write(bytes);
          assertEquals(bytes.length, accepted.getInputStream().readNBytes(bytes.length).length);
        }
      }
      hub.stop();
      assertEquals(List.copyOf(wanted.forms().keySet()), wanted.foundIn(hub.content()));
    }
  }

  @Test
  @Order(4)
  void nothingIsLeft() throws Exception {
    endEverything();
    for (ChildProcess process : mesh.processes()) {
      assertFalse(process.isAlive(), process::name);
    }
    assertEquals(hostBefore, NetworkState.now());
  }

  private PacketCapture capture(PacketCapture.Place place, String name) throws Exception {
    PacketCapture capture = PacketCapture.start(place, home.resolve(name + ".pcap"));
    open.add(capture);
    return capture;
  }

  private TlsRelay relayToColony(int port) throws Exception {
    Path directory = mesh.created().directory();
    Identity server =
        Identity.load(directory.resolve("tls-cert.pem"), directory.resolve("tls-key.pem"));
    String uri = "spiffe://" + mesh.created().colonyId() + "/colony";
    return relay(
        port,
        NamespaceMesh.PORT,
        server,
        client -> {
          Optional<ClientCertificate> own =
              client.isPresent()
                  ? Optional.of(mesh.stateOf(commonName(client.get())).certificate())
                  : Optional.empty();
          return ClientTls.pinned(mesh.created().caFingerprint(), uri, own);
        });
  }

  private TlsRelay relayToDiscovery(int port) throws Exception {
    Path directory = home.resolve("discovery");
    Identity server =
        Identity.load(directory.resolve("tls-cert.pem"), directory.resolve("tls-key.pem"));
    Fingerprint pin = new Fingerprint(mesh.discoveryFingerprint());
    return relay(port, NamespaceMesh.DISCOVERY_PORT, server, client -> ClientTls.pinnedLeaf(pin));
  }

  private TlsRelay relay(int port, int to, Identity server, TlsRelay.Server behind)
      throws Exception {
    InetSocketAddress target = new InetSocketAddress(InetAddress.getLoopbackAddress(), to);
    TlsRelay relay = mesh.topology().inHub(() -> TlsRelay.start(port, target, server, behind));
    open.add(relay);
    return relay;
  }

  private static String commonName(X509Certificate certificate) throws IOException {
    try {
      for (Rdn part : new LdapName(certificate.getSubjectX500Principal().getName()).getRdns()) {
        if (part.getType().equalsIgnoreCase("CN")) {
          return String.valueOf(part.getValue());
        }
      }
      throw new IOException("a certificate without a name");
    } catch (javax.naming.InvalidNameException e) {
      throw new IOException(e);
    }
  }

  /** What an agent must never say to anybody. */
  private List<WantedSecret> privateKeys(String... agents) throws Exception {
    List<WantedSecret> keys = new ArrayList<>();
    for (String agent : agents) {
      AgentState state = mesh.stateOf(agent);
      keys.addAll(WantedSecret.halves(agent + "'s private key", number(state.identity().key())));
      keys.addAll(
          WantedSecret.halves(agent + "'s WireGuard key", state.wireGuardKeys().privateKeyBytes()));
    }
    return keys;
  }

  private static byte[] number(PrivateKey key) {
    BigInteger number = ((ECPrivateKey) key).getS();
    return number.toByteArray();
  }

  private static void assertNotIn(String text, String where, List<WantedSecret> secrets) {
    for (WantedSecret secret : secrets) {
      assertEquals(List.of(), secret.foundIn(text), secret + " in " + where);
    }
  }

  private static boolean isPaidWith(String payment, Agent agent) {
    return agent.process().linesSince(0).stream()
        .anyMatch(line -> line.contains("\"certificatePaidWith\":\"" + payment + "\""));
  }

  private static Set<String> tokens(String text) {
    return TOKEN
        .matcher(text)
        .results()
        .map(match -> match.group())
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static String text(List<TlsRelay.Said> said) throws Exception {
    StringBuilder text = new StringBuilder();
    for (TlsRelay.Said each : said) {
      text.append(SaidInHttp.text(each)).append('\n');
    }
    return text.toString();
  }
}
