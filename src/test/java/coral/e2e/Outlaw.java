package coral.e2e;

import coral.api.mesh.v1.RegisterAgentRequest;
import coral.api.mesh.v1.RegisterAgentResponse;
import coral.e2e.Agent.Membership;
import coral.model.Endpoint;
import coral.model.MeshAddresses;
import coral.model.MeshSubnet;
import coral.rpc.ClientCertificate;
import coral.rpc.ClientTls;
import coral.rpc.ConnectClient;
import coral.rpc.TrustsAll;
import coral.testing.NetworkTopology;
import coral.wireguard.DeviceSettings;
import coral.wireguard.KeyPair;
import coral.wireguard.Peer;
import coral.wireguard.embedded.EmbeddedDevice;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Optional;
import java.util.Set;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManager;

/**
 * A member that obeys nobody: it has the files of an agent that joined, keeps the tunnel and its
 * connections open whatever it is told, and would resume TLS sessions. Runs in this process, on the
 * agent's host.
 */
final class Outlaw implements AutoCloseable {
  private static final MeshSubnet MESH = MeshSubnet.parse("10.42.0.0/16", "fd42::/64");
  private static final String REGISTER = "coral.mesh.v1.MeshService/Register";
  private static final Duration TIMEOUT = Duration.ofSeconds(10);
  private static final char[] NO_PASSWORD = new char[0];

  private final NetworkTopology topology;
  private final int host;
  private final Endpoint colony;
  private final SSLContext pinned;
  private final SSLContext resuming;
  private final RegisterAgentRequest request;
  private final Peer hub;
  private final EmbeddedDevice device;

  private Outlaw(NamespaceMesh mesh, int host, AgentState state, Peer hub, EmbeddedDevice device)
      throws IOException, GeneralSecurityException {
    this.topology = mesh.topology();
    this.host = host;
    this.colony =
        NamespaceMesh.Contact.at(NamespaceMesh.PORT, NamespaceMesh.DISCOVERY_PORT).colony();
    ClientCertificate certificate = state.certificate();
    pinned =
        ClientTls.pinned(
            mesh.created().caFingerprint(),
            "spiffe://" + mesh.created().colonyId() + "/colony",
            Optional.of(certificate));
    resuming = resuming(certificate);
    request =
        RegisterAgentRequest.newBuilder()
            .setWireguardPubkey(state.wireGuardKeys().publicKey().toString())
            .setRequestId("outlaw")
            .build();
    this.hub = hub;
    this.device = device;
  }

  /** Takes the place of an agent, whose process must have ended. */
  static Outlaw of(NamespaceMesh mesh, Agent agent, Membership membership) throws Exception {
    AgentState state = mesh.stateOf(agent.id());
    KeyPair colony = AgentState.wireGuardKeys(mesh.created().directory().resolve("wireguard.key"));
    Peer hub =
        new Peer(
            colony.publicKey(),
            Optional.of(
                new InetSocketAddress(
                    NamespaceMesh.WIREGUARD.host(), NamespaceMesh.WIREGUARD.port())),
            Set.of(MESH.ipv4(), MESH.ipv6()),
            Optional.of(Duration.ofSeconds(25)));
    DeviceSettings settings =
        new DeviceSettings("coral0", state.wireGuardKeys(), 0, DeviceSettings.DEFAULT_MTU, false);
    MeshAddresses own = MESH.addresses(hostNumber(membership.ipv4()));
    return mesh.topology()
        .on(
            agent.host(),
            () -> {
              EmbeddedDevice device = EmbeddedDevice.onTun(settings, InstantSource.system());
              try {
                device.assign(own, MESH);
                device.apply(Set.of(hub));
                return new Outlaw(mesh, agent.host(), state, hub, device);
              } catch (IOException | RuntimeException | GeneralSecurityException e) {
                device.close();
                throw e;
              }
            });
  }

  /** In a /16. */
  private static int hostNumber(InetAddress address) {
    byte[] bytes = address.getAddress();
    return ((bytes[2] & 0xff) << Byte.SIZE) | (bytes[3] & 0xff);
  }

  /** Asks the hub for a new WireGuard session. */
  void handshake() {
    device.initiate(hub.publicKey());
  }

  /** Registers again, over a connection of its own. */
  void register() throws Exception {
    ConnectClient client = ConnectClient.https(colony, pinned, TIMEOUT, TIMEOUT);
    topology.on(host, () -> client.call(REGISTER, request, RegisterAgentResponse.parser()));
  }

  /** A connection that stays open. */
  HeldConnection connect() throws Exception {
    return topology.on(host, () -> HeldConnection.open(colony, pinned, TIMEOUT));
  }

  /** Registers again, in the TLS session that it had before if the colony lets it resume that. */
  void registerResuming() throws Exception {
    try (HeldConnection connection =
        topology.on(host, () -> HeldConnection.open(colony, resuming, TIMEOUT))) {
      register(connection);
    }
  }

  /** Registers again over this connection. */
  void register(HeldConnection connection) throws IOException {
    connection.call(REGISTER, request, RegisterAgentResponse.parser());
  }

  @Override
  public void close() {
    device.close();
  }

  /** As the JDK's own client is: it offers the session that it had with the same server. */
  private static SSLContext resuming(ClientCertificate own)
      throws IOException, GeneralSecurityException {
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    store.setKeyEntry("own", own.key(), NO_PASSWORD, own.chain().toArray(new X509Certificate[0]));
    KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
    keys.init(store, NO_PASSWORD);
    SSLContext context = SSLContext.getInstance("TLSv1.3");
    context.init(keys.getKeyManagers(), new TrustManager[] {new TrustsAll()}, null);
    return context;
  }
}
