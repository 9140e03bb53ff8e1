package coral.colony;

import coral.certificate.CertificateChange;
import coral.certificate.CertificateIndex;
import coral.model.AgentId;
import coral.session.AgentSession;
import coral.session.CloseReason;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.pekko.actor.typed.ActorSystem;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ends what somebody has open when its right to it ends: the session, which is told why, the
 * WireGuard peer, and every connection with whatever is under way on it. By the time this hears of
 * it new handshakes and new calls are refused already, by {@link CertificateIndex}.
 *
 * <p>Whoever renews its certificate keeps its rights, and the calls that it has under way with the
 * former one may end by themselves: a renewal breaks no stream off. A revocation ends them too.
 */
final class Expulsion implements Consumer<CertificateChange> {
  /** For the last word to a session to leave the host before its connection is reset. */
  static final Duration LAST_WORD = Duration.ofMillis(300);

  /**
   * For calls that are under way when their caller's certificate is renewed. A little longer than
   * the hour that a proxy gives them, which can tell its callers why they end.
   */
  static final Duration CALLS_UNDER_WAY = Duration.ofMinutes(65);

  private static final Logger audit = LoggerFactory.getLogger("coral.audit");

  /** {@link coral.rpc.RpcServer#closeConnections}; without a name, those of all names. */
  interface Connections {
    int close(Optional<String> name, Predicate<X509Certificate> ended);
  }

  private final CertificateIndex certificates;
  private final BiConsumer<AgentId, AgentSession.Expel> sessions;
  private final Consumer<AgentId> peers;
  private final Connections connections;
  private final ActorSystem<?> system;

  /**
   * What ends rights.
   *
   * @param sessions tells the session of an agent
   * @param peers removes the peer of an agent, if there is one
   */
  Expulsion(
      CertificateIndex certificates,
      BiConsumer<AgentId, AgentSession.Expel> sessions,
      Consumer<AgentId> peers,
      Connections connections,
      ActorSystem<?> system) {
    this.certificates = certificates;
    this.sessions = sessions;
    this.peers = peers;
    this.connections = connections;
    this.system = system;
  }

  /**
   * Hears of every end from now on, and then makes up for those between the time when the peers
   * were made and now. Sessions and connections there are none before the port is open.
   */
  void follow() {
    certificates.onChange(this);
    certificates.barred().forEach(peers);
  }

  /** Called on the authority's thread, once for each change; does not block. */
  @Override
  public void accept(CertificateChange change) {
    change.agentId().ifPresent(agentId -> end(agentId, change.kind()));
    boolean isRenewal = isRenewal(change);
    Set<String> stillGood =
        isRenewal ? change.agentId().map(this::goodSerials).orElse(Set.of()) : Set.of();
    system
        .scheduler()
        .scheduleOnce(
            isRenewal ? CALLS_UNDER_WAY : LAST_WORD,
            () -> closeConnections(change, stillGood),
            system.executionContext());
  }

  /** An id that was claimed anew has another holder: what the former one has open ends at once. */
  private boolean isRenewal(CertificateChange change) {
    return change.kind() == CertificateChange.Kind.SUPERSEDED
        && change.agentId().filter(agentId -> !certificates.isBarred(agentId)).isPresent();
  }

  private void end(AgentId agentId, CertificateChange.Kind kind) {
    if (certificates.isBarred(agentId)) {
      peers.accept(agentId);
    }
    boolean refused = kind != CertificateChange.Kind.SUPERSEDED;
    sessions.accept(
        agentId,
        new AgentSession.Expel(
            refused ? CloseReason.REVOKED : CloseReason.CERTIFICATE_SUPERSEDED,
            refused ? Set.of() : goodSerials(agentId)));
  }

  private Set<String> goodSerials(AgentId agentId) {
    return certificates.identity(agentId).stream()
        .flatMap(identity -> Stream.of(identity.current(), identity.next()))
        .flatMap(certificate -> certificate.stream())
        .map(certificate -> certificate.serial())
        .collect(Collectors.toUnmodifiableSet());
  }

  /**
   * @param stillGood serial numbers that the change has left good; what has become of them since is
   *     another change's business
   */
  private void closeConnections(CertificateChange change, Set<String> stillGood) {
    int closed =
        connections.close(
            change.agentId().map(AgentId::value),
            certificate ->
                !certificates.accepts(certificate)
                    && !stillGood.contains(Protobuf.serial(certificate)));
    if (closed > 0) {
      audit.info(
          "connections ended agent={} number={} reason={}",
          change.agentId().map(AgentId::value).orElse("-"),
          closed,
          change.reason());
    }
  }
}
