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
 */
final class Expulsion implements Consumer<CertificateChange> {
  /** For the last word to a session to leave the host before its connection is reset. */
  static final Duration LAST_WORD = Duration.ofMillis(300);

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
    system
        .scheduler()
        .scheduleOnce(LAST_WORD, () -> closeConnections(change), system.executionContext());
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

  private void closeConnections(CertificateChange change) {
    int closed =
        connections.close(
            change.agentId().map(AgentId::value),
            certificate -> !certificates.accepts(certificate));
    if (closed > 0) {
      audit.info(
          "connections ended agent={} number={} reason={}",
          change.agentId().map(AgentId::value).orElse("-"),
          closed,
          change.reason());
    }
  }
}
