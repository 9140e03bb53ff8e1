package coral.e2e;

import com.google.protobuf.ByteString;
import com.google.protobuf.Message;
import com.google.protobuf.Parser;
import coral.api.colony.v1.RequestCertificateRequest;
import coral.api.colony.v1.RequestCertificateResponse;
import coral.api.mesh.v1.AgentMessage;
import coral.api.mesh.v1.ColonyMessage;
import coral.api.mesh.v1.Heartbeat;
import coral.api.mesh.v1.MeshServiceClient;
import coral.api.mesh.v1.RegisterAgentRequest;
import coral.api.mesh.v1.RegisterAgentResponse;
import coral.api.mesh.v1.TrustBundleTaken;
import coral.certificate.CertificateRequests;
import coral.certificate.KeyType;
import coral.certificate.TrustBundle;
import coral.certificate.TrustSuccession;
import coral.files.Pem;
import coral.model.AgentId;
import coral.model.ColonyId;
import coral.model.Endpoint;
import coral.model.Fingerprint;
import coral.model.InvitationText;
import coral.rpc.ClientCertificate;
import coral.rpc.ClientTls;
import coral.rpc.ConnectClient;
import coral.rpc.RpcChannel;
import coral.rpc.RpcException;
import java.security.KeyPair;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.SSLContext;
import org.apache.pekko.NotUsed;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.japi.Pair;
import org.apache.pekko.stream.BoundedSourceQueue;
import org.apache.pekko.stream.javadsl.Source;
import org.jspecify.annotations.Nullable;

/**
 * An agent without a tunnel that never rests: each time it acts it opens a new connection, and now
 * and then it renews its certificate; all the while it holds a session, by which it follows the
 * colony's roots as agents do. It trusts them and nobody else. Thread-safe, but for {@link #act}.
 */
final class RestlessAgent implements AutoCloseable {
  private static final InstantSource CLOCK = InstantSource.system();
  private static final Duration TIMEOUT = Duration.ofSeconds(30);
  private static final Duration REOPENED_AFTER = Duration.ofMillis(500);

  /** Acts from one renewal to the next that nobody has demanded. */
  private static final int RENEWED_EVERY = 6;

  /** Renewals that nobody has demanded: a colony takes 16 before certificates end by themselves. */
  private static final int RENEWALS = 8;

  /** What all agents tell the test. */
  interface Witness {
    /** A call was answered. */
    void answered();

    /** A call, a bundle or a session was refused. */
    void refused(String what);

    /** A session is open again, so long after the one before had ended. */
    void reopened(Duration after);

    /** Whether the colony is down, as far as the test knows. */
    boolean isDown();
  }

  private final AgentId id;
  private final ColonyId colonyId;
  private final Endpoint endpoint;
  private final ActorSystem<?> system;
  private final Witness witness;
  private final String wireGuardKey;
  private ClientCertificate certificate;
  private TrustBundle trusted;
  private @Nullable KeyPair nextKeys;
  private @Nullable Stream stream;
  private long endedAt;
  private boolean mustRenew;
  private boolean isClosed;
  private int acts;
  private int renewals;
  private String session = "none";

  private record Stream(MeshServiceClient service, BoundedSourceQueue<AgentMessage> up) {}

  private RestlessAgent(
      AgentId id,
      Endpoint endpoint,
      ColonyId colonyId,
      ActorSystem<?> system,
      Witness witness,
      ClientCertificate certificate,
      TrustBundle trusted) {
    this.id = id;
    this.endpoint = endpoint;
    this.colonyId = colonyId;
    this.system = system;
    this.witness = witness;
    this.certificate = certificate;
    this.trusted = trusted;
    this.wireGuardKey = coral.wireguard.KeyPair.generate().publicKey().toString();
    this.acts = Math.floorMod(id.hashCode(), RENEWED_EVERY);
  }

  /** Joins by an invitation: a certificate, an address, a session. */
  static RestlessAgent join(
      AgentId id, String invitation, Endpoint endpoint, ActorSystem<?> system, Witness witness)
      throws Exception {
    InvitationText invited = InvitationText.parse(invitation);
    KeyPair keys = KeyType.P_256.generate();
    RequestCertificateResponse issued =
        ConnectClient.https(
                endpoint,
                ClientTls.pinned(
                    invited.caFingerprint(), uri(invited.colonyId()), Optional.empty()),
                TIMEOUT,
                TIMEOUT)
            .call(
                "coral.colony.v1.ColonyService/RequestCertificate",
                RequestCertificateRequest.newBuilder()
                    .setAgentId(id.value())
                    .setInvitation(invited.secret().reveal())
                    .setCsr(ByteString.copyFrom(CertificateRequests.create(id, keys)))
                    .build(),
                RequestCertificateResponse.parser());
    TrustBundle bundle = bundle(issued);
    List<X509Certificate> pinned = new ArrayList<>(bundle.roots());
    pinned.removeIf(root -> !fingerprint(root).equals(invited.caFingerprint()));
    TrustSuccession.unvouched(pinned, bundle, CLOCK.instant()).ifPresent(witness::refused);
    RestlessAgent agent =
        new RestlessAgent(
            id, endpoint, invited.colonyId(), system, witness, certificate(keys, issued), bundle);
    agent.register();
    agent.openSession();
    return agent;
  }

  private static Fingerprint fingerprint(X509Certificate certificate) {
    try {
      return Fingerprint.of(certificate.getEncoded());
    } catch (CertificateEncodingException e) {
      throw new IllegalStateException(e);
    }
  }

  private static String uri(ColonyId colonyId) {
    return "spiffe://" + colonyId + "/colony";
  }

  private static ClientCertificate certificate(KeyPair keys, RequestCertificateResponse issued) {
    return new ClientCertificate(
        keys.getPrivate(), Pem.certificates(issued.getCertificate().toByteArray()));
  }

  private static TrustBundle bundle(RequestCertificateResponse issued) {
    return bundle(
        issued.getTrustBundleVersion(), issued.getCaCertificate(), issued.getCrossCertificates());
  }

  private static TrustBundle bundle(long version, ByteString roots, ByteString crosses) {
    return new TrustBundle(
        version,
        Pem.certificates(roots.toByteArray()),
        crosses.isEmpty() ? List.of() : Pem.certificates(crosses.toByteArray()));
  }

  AgentId id() {
    return id;
  }

  /** The certificate that it uses now. */
  synchronized ClientCertificate certificate() {
    return certificate;
  }

  /** For when it does not follow: how far it is. */
  synchronized String standing() {
    return id + " session " + session + ", bundle " + trusted.version();
  }

  /** The roots that it trusts, and nobody else. */
  synchronized List<X509Certificate> trusted() {
    return trusted.roots();
  }

  /** Connects anew and calls, and renews its certificate if that is due. */
  void act() {
    boolean wasDown = witness.isDown();
    try {
      if (isRenewalDue()) {
        renew();
      }
      register();
      beat();
      witness.answered();
    } catch (RpcException e) {
      boolean isOutage =
          (wasDown || witness.isDown())
              && (e.reason() == RpcException.Reason.UNREACHABLE
                  || e.reason() == RpcException.Reason.TIMEOUT
                  || e.reason() == RpcException.Reason.PROTOCOL);
      if (!isOutage) {
        witness.refused(id + ": " + e.reason() + " " + e.getMessage());
      }
    }
  }

  private synchronized boolean isRenewalDue() {
    boolean wants = ++acts % RENEWED_EVERY == 0 && renewals < RENEWALS;
    return wants || mustRenew || nextKeys != null;
  }

  /** With the same key until the colony has answered. */
  private void renew() throws RpcException {
    KeyPair keys;
    synchronized (this) {
      keys = nextKeys == null ? KeyType.P_256.generate() : nextKeys;
      nextKeys = keys;
    }
    RequestCertificateResponse issued =
        call(
            "coral.colony.v1.ColonyService/RequestCertificate",
            RequestCertificateRequest.newBuilder()
                .setAgentId(id.value())
                .setCsr(ByteString.copyFrom(CertificateRequests.create(id, keys)))
                .build(),
            RequestCertificateResponse.parser());
    take(bundle(issued));
    synchronized (this) {
      certificate = certificate(keys, issued);
      nextKeys = null;
      mustRenew = false;
      renewals++;
    }
    openSession();
  }

  private void register() throws RpcException {
    call(
        "coral.mesh.v1.MeshService/Register",
        RegisterAgentRequest.newBuilder()
            .setWireguardPubkey(wireGuardKey)
            .setRequestId("join")
            .build(),
        RegisterAgentResponse.parser());
  }

  /** On a connection of its own: a handshake for each. */
  private <T extends Message> T call(String method, Message request, Parser<T> answer)
      throws RpcException {
    return ConnectClient.https(endpoint, tls(), TIMEOUT, TIMEOUT).call(method, request, answer);
  }

  private synchronized SSLContext tls() {
    return ClientTls.trusting(trusted.roots(), uri(colonyId), Optional.of(certificate));
  }

  /** As an agent takes it; whether it may be acknowledged. */
  private synchronized boolean take(TrustBundle offered) {
    Optional<String> objection =
        TrustSuccession.outOfOrder(trusted, offered)
            .or(() -> TrustSuccession.unvouched(trusted.roots(), offered, CLOCK.instant()));
    objection.ifPresent(why -> witness.refused(id + " refuses a bundle: " + why));
    if (objection.isEmpty()) {
      trusted = offered;
    }
    return objection.isEmpty();
  }

  private synchronized void beat() {
    if (stream != null) {
      stream
          .up()
          .offer(
              AgentMessage.newBuilder()
                  .setHeartbeat(Heartbeat.newBuilder().setSequence(acts))
                  .build());
    }
  }

  /** The colony ends the one before when this one opens. */
  private synchronized void openSession() {
    if (isClosed) {
      return;
    }
    MeshServiceClient service =
        MeshServiceClient.create(RpcChannel.grpcClient(endpoint, tls(), system), system);
    Pair<BoundedSourceQueue<AgentMessage>, Source<AgentMessage, NotUsed>> up =
        Source.<AgentMessage>queue(16).preMaterialize(system);
    Stream opened = new Stream(service, up.first());
    stream = opened;
    session = "connecting";
    boolean wasDown = witness.isDown();
    var unused =
        service
            .session(up.second())
            .runForeach(message -> received(opened, message), system)
            .whenComplete((done, failure) -> ended(opened, wasDown, failure));
  }

  private synchronized void received(Stream from, ColonyMessage message) {
    if (from != stream) {
      return; // the last words to a session that another one has followed
    }
    if (message.hasSessionOpened()) {
      session = "open";
    }
    if (message.hasSessionOpened() && endedAt != 0) {
      witness.reopened(Duration.ofNanos(System.nanoTime() - endedAt));
      endedAt = 0;
    } else if (message.hasRenewCertificate()) {
      mustRenew = true;
    } else if (message.hasTrustBundle()
        && take(
            bundle(
                message.getTrustBundle().getVersion(),
                message.getTrustBundle().getCertificates(),
                message.getTrustBundle().getCrossCertificates()))) {
      session =
          from.up()
                  .offer(
                      AgentMessage.newBuilder()
                          .setTrustBundleTaken(
                              TrustBundleTaken.newBuilder()
                                  .setVersion(message.getTrustBundle().getVersion()))
                          .build())
              + " "
              + message.getTrustBundle().getVersion();
    }
  }

  private synchronized void ended(Stream which, boolean wasDown, @Nullable Throwable failure) {
    which.service().close();
    if (which != stream || isClosed) {
      return;
    }
    if (!wasDown && !witness.isDown()) {
      witness.refused(id + " lost its session: " + failure);
    }
    stream = null;
    endedAt = endedAt == 0 ? System.nanoTime() : endedAt;
    system.scheduler().scheduleOnce(REOPENED_AFTER, this::openSession, system.executionContext());
  }

  @Override
  public synchronized void close() {
    isClosed = true;
    if (stream != null) {
      stream.service().close();
    }
  }
}
