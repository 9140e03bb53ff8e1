package coral.colony;

import coral.address.Allocation;
import coral.address.IpAllocator;
import coral.address.Registrant;
import coral.certificate.CertificateIndex;
import coral.model.AgentId;
import coral.model.AuditEvent;
import coral.model.AuditSink;
import coral.model.Authentication;
import coral.model.Failure;
import coral.model.RefusedException;
import coral.model.WireGuardKey;
import coral.rpc.Caller;
import coral.rpc.FailureStatus;
import coral.session.AgentPresence;
import coral.session.AgentSession;
import coral.session.Presence;
import coral.session.PresenceDirectory;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Makes agents members of the mesh, and ends it. Who may ask has been decided before. */
final class Registration {
  private static final Logger log = LoggerFactory.getLogger(Registration.class);
  private static final Logger audit = LoggerFactory.getLogger("coral.audit");
  private static final Duration TIMEOUT = Duration.ofSeconds(5);

  private final AllocatorClient allocator;
  private final Hub hub;
  private final CertificateIndex certificates;
  private final WireGuardKey ownKey;
  private final ClusterSharding sharding;
  private final ActorRef<PresenceDirectory.Command> directory;
  private final Duration heartbeatInterval;
  private final InstantSource clock;
  private final AuditSink sink;
  private final ActorSystem<?> system;

  Registration(
      AllocatorClient allocator,
      Hub hub,
      CertificateIndex certificates,
      WireGuardKey ownKey,
      ClusterSharding sharding,
      ActorRef<PresenceDirectory.Command> directory,
      Duration heartbeatInterval,
      InstantSource clock,
      AuditSink sink,
      ActorSystem<?> system) {
    this.allocator = allocator;
    this.hub = hub;
    this.certificates = certificates;
    this.ownKey = ownKey;
    this.sharding = sharding;
    this.directory = directory;
    this.heartbeatInterval = heartbeatInterval;
    this.clock = clock;
    this.sink = sink;
    this.system = system;
  }

  /**
   * Gives the agent its address. By the time the stage completes the allocation is durable and the
   * hub has the peer, because {@link Hub#follow} comes before the allocator's answer.
   *
   * <p>An agent whose session is open and was heard of within three heartbeat intervals does not
   * change its WireGuard key: agents keep it across restarts, and one that restarts has lost its
   * session by then. So another key at that time comes from a second holder of the same
   * certificate, who would take the tunnel over in silence; it is refused, with FAILED_PRECONDITION
   * and an alarm in the audit log. The bound is that of a healthy agent, the shortest silence that
   * is more than a lost heartbeat: an agent whose key file was lost waits no longer than that.
   *
   * @param certificate what the agent proved itself with; empty for one of before certificates
   */
  CompletionStage<Allocation> register(
      AgentId agentId,
      Optional<X509Certificate> certificate,
      WireGuardKey key,
      String requestId,
      Registrant registrant) {
    if (key.equals(ownKey)) {
      throw new RefusedException(
          Failure.INVALID_ARGUMENT, "this WireGuard key is the colony's own");
    }
    return requireNoOtherHolder(agentId, key)
        .thenCompose(checked -> requireFirstClaim(agentId, certificate, key))
        .thenCompose(checked -> allocator.allocate(agentId, key, requestId, registrant))
        .thenApply(
            allocation -> {
              certificate.ifPresent(shown -> certificates.registered(agentId, shown));
              hub.admit(agentId);
              log.debug("Agent {} is host {}", agentId, allocation.hostNumber());
              return allocation;
            });
  }

  private CompletionStage<Done> requireNoOtherHolder(AgentId agentId, WireGuardKey key) {
    return AskPattern.<PresenceDirectory.Command, PresenceDirectory.Known>ask(
            directory,
            replyTo -> new PresenceDirectory.Describe(List.of(agentId), replyTo),
            TIMEOUT,
            system.scheduler())
        .thenCompose(
            known ->
                known.presences().stream().anyMatch(this::isAlive)
                    ? requireSameKey(agentId, key)
                    : CompletableFuture.completedFuture(Done.getInstance()));
  }

  /**
   * An id that has registered without a certificate is the first claimant's, who is known by its
   * WireGuard key alone. Whoever buys the first certificate of the id later has to keep that key:
   * its payment may be one that anybody with the colony's secret gets.
   */
  private CompletionStage<Done> requireFirstClaim(
      AgentId agentId, Optional<X509Certificate> certificate, WireGuardKey key) {
    if (certificate.isEmpty() || certificates.mayTakeOver(agentId)) {
      return CompletableFuture.completedFuture(Done.getInstance());
    }
    return allocator
        .find(agentId)
        .handle(
            (held, failure) -> {
              if (failure != null) {
                if (FailureStatus.failure(failure) == Failure.NOT_FOUND) {
                  return Done.getInstance(); // nobody has claimed it
                }
                throw FailureStatus.exception(failure);
              }
              if (held.authentication() == Authentication.CERTIFICATE
                  || held.wireGuardKey().equals(key)) {
                return Done.getInstance();
              }
              throw contested(agentId, held);
            });
  }

  private RefusedException contested(AgentId agentId, Allocation held) {
    audit.error(
        "ALARM agent={} has a certificate and asks for another WireGuard key than it has"
            + " registered with before, by {}",
        agentId,
        held.authentication());
    sink.record(
        AuditEvent.of(AuditEvent.Kind.IDENTITY_CONTESTED)
            .by("agent/" + agentId)
            .about(agentId)
            .detail(
                "has a certificate and asks for another WireGuard key than "
                    + held.wireGuardKey()
                    + ", with which the id has registered without one"));
    return new RefusedException(
        Failure.AGENT_ID_TAKEN,
        "agent "
            + agentId
            + " has registered without a certificate before, with another WireGuard key: bring that"
            + " key back, choose another id, or have somebody run `coral agent allow-rebind "
            + agentId
            + "`");
  }

  private boolean isAlive(AgentPresence presence) {
    return presence.connected()
        && Presence.at(presence.lastSeen(), clock.instant(), heartbeatInterval) == Presence.HEALTHY;
  }

  private CompletionStage<Done> requireSameKey(AgentId agentId, WireGuardKey key) {
    return allocator
        .find(agentId)
        .thenApply(
            held -> {
              if (held.wireGuardKey().equals(key)) {
                return Done.getInstance();
              }
              audit.error(
                  "ALARM agent={} has a live session and asks for another WireGuard key: held={}"
                      + " asked={}; its certificate may be in two hands",
                  agentId,
                  held.wireGuardKey(),
                  key);
              throw new RefusedException(
                  Failure.FAILED_PRECONDITION,
                  "agent "
                      + agentId
                      + " is connected with another WireGuard key, "
                      + held.wireGuardKey()
                      + " and not "
                      + key
                      + ": stop the other process that uses this certificate, or wait "
                      + heartbeatInterval.multipliedBy(3).toSeconds()
                      + " s after it has stopped");
            });
  }

  /**
   * Takes the agent's address back, for ever; its peer is gone by then, its session ends. Who asked
   * for it is on disk before it is done.
   */
  CompletionStage<IpAllocator.Released> deregister(AgentId agentId, Caller by) {
    return sink.recorded(
            AuditMapping.by(by, AuditEvent.Kind.RELEASE_REQUESTED)
                .about(agentId)
                .detail("asks to take the agent's address back"))
        .thenCompose(recorded -> allocator.release(agentId))
        .thenApply(
            released -> {
              sharding
                  .entityRefFor(AgentSession.TYPE, agentId.value())
                  .tell(new AgentSession.Deregister());
              audit.info(
                  "address released agent={} host={} by={}",
                  agentId,
                  released.hostNumber(),
                  by.actor());
              return released;
            });
  }
}
