package coral.agent;

import coral.agent.JoinFailure.Kind;
import coral.certificate.Authority;
import coral.certificate.CertificateProfile;
import coral.certificate.CertificateRequests;
import coral.certificate.Identity;
import coral.model.AgentId;
import coral.model.ColonyId;
import coral.model.Endpoint;
import coral.model.Fingerprint;
import coral.model.MeshSubnet;
import coral.model.Secret;
import coral.model.WireGuardKey;
import coral.wireguard.KeyPair;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Consumer;

/** A colony and a discovery service in memory: real certificates, scripted failures. */
final class FakeColony implements ColonyClient, ColonyDirectory {
  static final Instant START = Instant.parse("2026-11-20T12:00:00Z");
  static final ColonyId COLONY = new ColonyId("shop-test-a3f2e1");

  /** Made once: RSA-4096 takes its time. */
  static final Authority AUTHORITY = Authority.create(COLONY, () -> START);

  static final MeshSubnet SUBNET = MeshSubnet.parse("10.42.0.0/16", "fd42::/64");
  static final Duration HEARTBEAT = Duration.ofSeconds(15);

  /** What is asked of the colony, discovery and the device, in order. */
  final List<String> calls = new CopyOnWriteArrayList<>();

  final List<String> requestIds = new CopyOnWriteArrayList<>();
  final Set<String> requests = new HashSet<>();
  final LinkedBlockingQueue<Session> sessions = new LinkedBlockingQueue<>();
  final Deque<JoinException> lookupFailures = new ArrayDeque<>();
  final Deque<JoinException> reachFailures = new ArrayDeque<>();
  final Deque<JoinException> registerFailures = new ArrayDeque<>();
  volatile List<Endpoint> wireGuardEndpoints = List.of(new Endpoint("127.0.0.1", 41820));
  volatile Authority authority = AUTHORITY;
  volatile int hostNumber = 2;
  final KeyPair keys = KeyPair.generate();
  private int serial = 0x100;

  /** One session as the colony sees it. */
  static final class Session implements SessionStream {
    final Consumer<SessionMessage> agent;
    final LinkedBlockingQueue<Heartbeat> heartbeats = new LinkedBlockingQueue<>();
    volatile boolean closed;

    Session(Consumer<SessionMessage> agent) {
      this.agent = agent;
    }

    @Override
    public void send(Heartbeat heartbeat) {
      heartbeats.add(heartbeat);
    }

    @Override
    public void close() {
      closed = true;
    }
  }

  @Override
  public List<Endpoint> find(ColonyId colonyId) throws JoinException {
    calls.add("find");
    failOnce(lookupFailures);
    return List.of(new Endpoint("127.0.0.1", 9000));
  }

  @Override
  public IssuedCertificate requestCertificate(
      List<Endpoint> endpoints, Fingerprint pin, Secret secret, AgentId agentId, String request)
      throws JoinException {
    calls.add("request certificate");
    if (!secret.matches("the secret")) {
      throw new JoinException(Kind.WRONG_SECRET, "the colony does not accept the secret");
    }
    requests.add(request);
    var verified = CertificateRequests.verify(request.getBytes(StandardCharsets.US_ASCII), agentId);
    var certificate =
        authority.issue(
            CertificateProfile.agent(COLONY, agentId),
            verified.publicKey(),
            START,
            Duration.ofDays(90),
            BigInteger.valueOf(serial++));
    return new IssuedCertificate(
        coral.files.Pem.encode(authority.chain(certificate)),
        coral.files.Pem.encode(authority.certificate()));
  }

  @Override
  public Endpoint reach(List<Endpoint> endpoints, Fingerprint pin, Identity identity)
      throws JoinException {
    calls.add("reach " + endpoints.get(0));
    failOnce(reachFailures);
    return endpoints.get(0);
  }

  @Override
  public Membership register(
      Endpoint endpoint, Fingerprint pin, Identity identity, WireGuardKey key, String requestId)
      throws JoinException {
    calls.add("register");
    requestIds.add(requestId);
    failOnce(registerFailures);
    return new Membership(
        SUBNET.addresses(hostNumber),
        SUBNET,
        SUBNET.colony(),
        keys.publicKey(),
        wireGuardEndpoints,
        HEARTBEAT,
        1420);
  }

  @Override
  public SessionStream openSession(
      Endpoint endpoint, Fingerprint pin, Identity identity, Consumer<SessionMessage> listener) {
    calls.add("open session");
    Session session = new Session(listener);
    sessions.add(session);
    return session;
  }

  /** What was asked since the last time this was called. */
  List<String> takeCalls() {
    List<String> taken = new ArrayList<>(calls);
    calls.clear();
    return taken;
  }

  private static void failOnce(Deque<JoinException> failures) throws JoinException {
    if (!failures.isEmpty()) {
      throw failures.pop();
    }
  }
}
