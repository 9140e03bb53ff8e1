package coral.colony;

import coral.address.Allocation;
import coral.address.Reservation;
import coral.certificate.AgentIdentity;
import coral.certificate.CertificateIndex;
import coral.certificate.IdentityState;
import coral.certificate.IssuedCertificate;
import coral.model.AgentId;
import coral.model.Failure;
import coral.model.RefusedException;
import coral.rpc.FailureStatus;
import coral.session.AgentPresence;
import coral.session.Presence;
import coral.session.PresenceDirectory;
import coral.storage.AllocationReadModel;
import coral.storage.StoreException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.AskPattern;

/**
 * Members with what is known of them, put together from four places: who holds an address from the
 * allocator, what the session told from the directory, and for those who had no session since the
 * colony started, when they were last seen from the database.
 */
final class AgentOverview {
  private static final Duration TIMEOUT = Duration.ofSeconds(5);

  /**
   * One agent.
   *
   * @param session what its session told; empty if it had none since the colony started
   * @param presence as of now
   * @param identity empty if it was never issued a certificate
   */
  record Member(
      Allocation allocation,
      Optional<AgentPresence> session,
      Instant lastSeen,
      Presence presence,
      Optional<AgentIdentity> identity) {
    /** In use, or else issued last, also if it is not good. */
    Optional<IssuedCertificate> certificate() {
      return identity.flatMap(known -> known.current().or(known::next));
    }

    /** How it is: what its operators have to know first. */
    String status() {
      return identity
          .map(AgentIdentity::state)
          .filter(state -> state != IdentityState.ACTIVE)
          .map(Enum::name)
          .orElse(presence.name())
          .toLowerCase(Locale.ROOT);
    }
  }

  /**
   * Agents by host number.
   *
   * @param reservations those among them, of agents that have not joined
   * @param nextHostNumber where the next page starts; 0 after the last
   * @param capacity how many agents the subnet can hold
   */
  record Page(
      List<Member> members, List<Reservation> reservations, int nextHostNumber, int capacity) {
    /** What names the next page in the protocol; empty after the last. */
    String nextToken() {
      return nextHostNumber == 0 ? "" : Integer.toString(nextHostNumber);
    }
  }

  private final AllocatorClient allocator;
  private final ActorRef<PresenceDirectory.Command> directory;
  private final CertificateIndex certificates;
  private final AllocationReadModel readModel;
  private final Duration heartbeatInterval;
  private final InstantSource clock;
  private final Executor blocking;
  private final ActorSystem<?> system;

  AgentOverview(
      AllocatorClient allocator,
      ActorRef<PresenceDirectory.Command> directory,
      CertificateIndex certificates,
      AllocationReadModel readModel,
      Duration heartbeatInterval,
      InstantSource clock,
      Executor blocking,
      ActorSystem<?> system) {
    this.allocator = allocator;
    this.directory = directory;
    this.certificates = certificates;
    this.readModel = readModel;
    this.heartbeatInterval = heartbeatInterval;
    this.clock = clock;
    this.blocking = blocking;
    this.system = system;
  }

  CompletionStage<Page> page(int fromHostNumber, int limit) {
    return allocator
        .page(fromHostNumber, limit)
        .thenCompose(
            page ->
                describe(page.allocations())
                    .thenApply(
                        members ->
                            new Page(
                                members,
                                page.reservations(),
                                page.nextHostNumber(),
                                page.capacity())));
  }

  /**
   * Some agents, without those that hold no address.
   *
   * @param agents at most 1,000
   */
  CompletionStage<List<Member>> members(Collection<AgentId> agents) {
    List<CompletableFuture<Optional<Allocation>>> found =
        agents.stream().map(agent -> find(agent).toCompletableFuture()).toList();
    return CompletableFuture.allOf(found.toArray(CompletableFuture[]::new))
        .thenCompose(
            all ->
                describe(
                    found.stream()
                        .map(CompletableFuture::join)
                        .flatMap(Optional::stream)
                        .toList()));
  }

  private CompletionStage<Optional<Allocation>> find(AgentId agent) {
    return allocator
        .find(agent)
        .handle(
            (held, failure) -> {
              if (failure == null) {
                return Optional.of(held);
              }
              if (FailureStatus.failure(failure) == Failure.NOT_FOUND) {
                return Optional.empty();
              }
              throw FailureStatus.exception(failure);
            });
  }

  private CompletionStage<List<Member>> describe(List<Allocation> allocations) {
    List<AgentId> agents = allocations.stream().map(Allocation::agentId).toList();
    return AskPattern.<PresenceDirectory.Command, PresenceDirectory.Known>ask(
            directory,
            replyTo -> new PresenceDirectory.Describe(agents, replyTo),
            TIMEOUT,
            system.scheduler())
        .thenCompose(known -> withLastSeen(allocations, known));
  }

  private CompletionStage<List<Member>> withLastSeen(
      List<Allocation> allocations, PresenceDirectory.Known known) {
    Map<AgentId, AgentPresence> sessions = new HashMap<>();
    known.presences().forEach(presence -> sessions.put(presence.agentId(), presence));
    List<AgentId> absent =
        allocations.stream()
            .map(Allocation::agentId)
            .filter(agent -> !sessions.containsKey(agent))
            .toList();
    return lastSeen(absent)
        .thenApply(
            written -> {
              List<Member> members = new ArrayList<>(allocations.size());
              for (Allocation allocation : allocations) {
                AgentId agent = allocation.agentId();
                Optional<AgentPresence> session = Optional.ofNullable(sessions.get(agent));
                Instant lastSeen =
                    session
                        .map(AgentPresence::lastSeen)
                        .orElseGet(() -> written.getOrDefault(agent, allocation.allocatedAt()));
                members.add(
                    new Member(
                        allocation,
                        session,
                        lastSeen,
                        Presence.at(lastSeen, clock.instant(), heartbeatInterval),
                        certificates.identity(agent)));
              }
              return members;
            });
  }

  private CompletionStage<Map<AgentId, Instant>> lastSeen(Collection<AgentId> agents) {
    if (agents.isEmpty()) {
      return CompletableFuture.completedFuture(Map.of());
    }
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            return readModel.lastSeen(agents);
          } catch (StoreException e) {
            throw new RefusedException(Failure.STORE_UNAVAILABLE, String.valueOf(e.getMessage()));
          }
        },
        blocking);
  }

  CompletionStage<Integer> connected() {
    return AskPattern.<PresenceDirectory.Command, PresenceDirectory.Connected>ask(
            directory, PresenceDirectory.CountConnected::new, TIMEOUT, system.scheduler())
        .thenApply(PresenceDirectory.Connected::agents);
  }
}
