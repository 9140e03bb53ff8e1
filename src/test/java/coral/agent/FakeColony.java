package coral.agent;

import coral.agent.JoinFailure.Kind;
import coral.agent.observation.Observation;
import coral.certificate.Authority;
import coral.certificate.CertificateProfile;
import coral.certificate.CertificateRequests;
import coral.certificate.Identity;
import coral.model.AgentId;
import coral.model.ColonyId;
import coral.model.Endpoint;
import coral.model.MeshSubnet;
import coral.model.Secret;
import coral.model.WireGuardKey;
import coral.wireguard.KeyPair;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** A colony and a discovery service in memory: real certificates, scripted failures. */
final class FakeColony implements ColonyClient, DiscoveryClient {
  static final Instant START = Instant.parse("2026-11-20T12:00:00Z");
  static final ColonyId COLONY = new ColonyId("shop-test-a3f2e1");

  /** Made once: RSA-4096 takes its time. */
  static final Authority AUTHORITY = Authority.create(COLONY, () -> START);

  static final String SECRET = "the secret";
  static final String INVITATION = "coral-inv_of-web-1";

  static final MeshSubnet SUBNET = MeshSubnet.parse("10.42.0.0/16", "fd42::/64");
  static final Duration HEARTBEAT = Duration.ofSeconds(15);

  /** What is asked of the colony, discovery and the device, in order. */
  final List<String> calls = new CopyOnWriteArrayList<>();

  final List<String> requestIds = new CopyOnWriteArrayList<>();

  /** What was ordered, paid or not. */
  final List<Order> orders = new CopyOnWriteArrayList<>();

  final Deque<JoinException> tokenFailures = new ArrayDeque<>();
  final Deque<JoinException> certificateFailures = new ArrayDeque<>();

  /** What becomes of an answer on its way, once each: somebody else may speak for the colony. */
  final Deque<UnaryOperator<IssuedCertificate>> answers = new ArrayDeque<>();

  /** Thrown after the certificate was issued. */
  final Deque<JoinException> lostAnswers = new ArrayDeque<>();

  final LinkedBlockingQueue<Session> sessions = new LinkedBlockingQueue<>();
  final Deque<JoinException> lookupFailures = new ArrayDeque<>();
  final Deque<JoinException> reachFailures = new ArrayDeque<>();
  final Deque<JoinException> registerFailures = new ArrayDeque<>();
  final Deque<JoinException> deregisterFailures = new ArrayDeque<>();
  volatile List<Endpoint> wireGuardEndpoints = List.of(new Endpoint("127.0.0.1", 41820));
  volatile Authority authority = AUTHORITY;
  volatile int hostNumber = 2;
  final KeyPair keys = KeyPair.generate();
  volatile Instant now = START;
  private final Map<String, IssuedCertificate> issued = new HashMap<>();
  private final Set<String> used = new HashSet<>();
  private @Nullable String next;
  private int serial = 0x100;

  /** One session as the colony sees it. */
  static final class Session implements SessionStream {
    final Consumer<SessionMessage> agent;
    final LinkedBlockingQueue<Heartbeat> heartbeats = new LinkedBlockingQueue<>();
    final LinkedBlockingQueue<Observation> observations = new LinkedBlockingQueue<>();
    final LinkedBlockingQueue<Long> bundles = new LinkedBlockingQueue<>();
    volatile boolean closed;

    Session(Consumer<SessionMessage> agent) {
      this.agent = agent;
    }

    @Override
    public void send(Heartbeat heartbeat) {
      heartbeats.add(heartbeat);
    }

    @Override
    public void report(Observation observation) {
      observations.add(observation);
    }

    @Override
    public void acknowledgeBundle(long version) {
      bundles.add(version);
    }

    @Override
    public void close() {
      closed = true;
    }
  }

  @Override
  public List<Endpoint> find(DiscoveryAddress discovery, ColonyId colonyId) throws JoinException {
    calls.add("find");
    failOnce(lookupFailures);
    return List.of(new Endpoint("127.0.0.1", 9000));
  }

  @Override
  public Secret requestToken(
      DiscoveryAddress discovery, ColonyId colonyId, Secret secret, AgentId agentId, String keyHash)
      throws JoinException {
    calls.add("request token");
    failOnce(tokenFailures);
    if (!secret.matches(SECRET)) {
      throw new JoinException(Kind.WRONG_SECRET, "discovery does not accept the secret");
    }
    return new Secret("token of " + keyHash);
  }

  /** One key for each step of an identity, as the colony has it: a second one freezes it. */
  @Override
  public IssuedCertificate requestCertificate(
      List<Endpoint> endpoints, ColonyTrust trust, Order order) throws JoinException {
    calls.add("request certificate with " + order.payment().kind());
    orders.add(order);
    failOnce(certificateFailures);
    String key = order.request().keyHash();
    if (order.payment() instanceof Payment.Token paid && !paid.token().matches("token of " + key)) {
      throw new JoinException(Kind.TOKEN_REFUSED, "the token is bound to another key");
    }
    if (order.payment() instanceof Payment.Invitation paid && !paid.secret().matches(INVITATION)) {
      throw new JoinException(Kind.INVITATION_REFUSED, "no such invitation");
    }
    if (order.payment() instanceof Payment.ColonySecret paid && !paid.secret().matches(SECRET)) {
      throw new JoinException(Kind.WRONG_SECRET, "the colony does not accept the secret");
    }
    if (!issued.containsKey(key)) {
      if (next != null && !used.contains(next)) {
        throw new JoinException(Kind.IDENTITY_SUSPENDED, "frozen: two keys for one renewal");
      }
      if (next != null
          && order.proof().isEmpty()
          && !(order.payment() instanceof Payment.Certificate)) {
        throw new JoinException(Kind.AGENT_ID_TAKEN, "the agent id is bound to another key");
      }
      issued.put(key, issue(order.request()));
      next = key;
    }
    failOnce(lostAnswers);
    IssuedCertificate answer = issued.get(key);
    return answers.isEmpty() ? answer : answers.remove().apply(answer);
  }

  private IssuedCertificate issue(CertificateRequest request) {
    var verified =
        CertificateRequests.verify(
            request.pem().getBytes(StandardCharsets.US_ASCII), AgentSettingsTest.AGENT);
    var certificate =
        authority.issue(
            CertificateProfile.agent(COLONY, AgentSettingsTest.AGENT),
            verified.publicKey(),
            now,
            Duration.ofDays(90),
            BigInteger.valueOf(serial++));
    return new IssuedCertificate(
        coral.files.Pem.encode(authority.chain(certificate)),
        authority.trustBundle().pem(),
        authority.trustBundle().crossPem(),
        authority.trustBundle().version(),
        "");
  }

  @Override
  public Secret invite(List<Endpoint> endpoints, ColonyTrust trust, Identity inviter) {
    calls.add("invite");
    return new Secret(INVITATION);
  }

  @Override
  public void deregister(Endpoint endpoint, ColonyTrust trust, Identity identity)
      throws JoinException {
    calls.add("deregister");
    failOnce(deregisterFailures);
  }

  @Override
  public Endpoint reach(List<Endpoint> endpoints, ColonyTrust trust, Identity identity)
      throws JoinException {
    calls.add("reach " + endpoints.get(0));
    failOnce(reachFailures);
    used.add(hash(identity));
    return endpoints.get(0);
  }

  @Override
  public Membership register(
      Endpoint endpoint, ColonyTrust trust, Identity identity, WireGuardKey key, String requestId)
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
      Endpoint endpoint, ColonyTrust trust, Identity identity, Consumer<SessionMessage> listener) {
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

  private static String hash(Identity identity) {
    try {
      byte[] key = identity.certificate().getPublicKey().getEncoded();
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(key));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }

  private static void failOnce(Deque<JoinException> failures) throws JoinException {
    if (!failures.isEmpty()) {
      throw failures.pop();
    }
  }
}
