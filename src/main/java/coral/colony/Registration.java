package coral.colony;

import coral.address.Allocation;
import coral.model.AgentId;
import coral.model.Failure;
import coral.model.RefusedException;
import coral.model.WireGuardKey;
import coral.session.AgentSession;
import coral.session.PresenceDirectory;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Makes agents members of the mesh, and ends it. Who may ask has been decided before. */
final class Registration {
  private static final Logger log = LoggerFactory.getLogger(Registration.class);
  private static final Logger audit = LoggerFactory.getLogger("coral.audit");

  private final AllocatorClient allocator;
  private final WireGuardKey ownKey;
  private final ClusterSharding sharding;
  private final ActorRef<PresenceDirectory.Command> directory;

  Registration(
      AllocatorClient allocator,
      WireGuardKey ownKey,
      ClusterSharding sharding,
      ActorRef<PresenceDirectory.Command> directory) {
    this.allocator = allocator;
    this.ownKey = ownKey;
    this.sharding = sharding;
    this.directory = directory;
  }

  /**
   * Gives the agent its address. By the time the stage completes the allocation is durable and the
   * hub has the peer, because {@link Hub#follow} comes before the allocator's answer.
   */
  CompletionStage<Allocation> register(
      AgentId agentId, WireGuardKey key, String requestId, String componentName) {
    if (key.equals(ownKey)) {
      throw new RefusedException(
          Failure.INVALID_ARGUMENT, "this WireGuard key is the colony's own");
    }
    return allocator
        .allocate(agentId, key, requestId)
        .thenApply(
            allocation -> {
              directory.tell(new PresenceDirectory.Registered(agentId, componentName));
              log.debug("Agent {} is host {}", agentId, allocation.hostNumber());
              return allocation;
            });
  }

  /** Takes the agent's address back, for ever; its peer is gone by then, its session ends. */
  CompletionStage<Allocation> deregister(AgentId agentId, String by) {
    return allocator
        .release(agentId)
        .thenApply(
            released -> {
              sharding
                  .entityRefFor(AgentSession.TYPE, agentId.value())
                  .tell(new AgentSession.Deregister());
              audit.info(
                  "address released agent={} host={} by={}", agentId, released.hostNumber(), by);
              return released;
            });
  }
}
