package coral.address;

import coral.model.AgentId;
import coral.model.Authentication;
import coral.model.JournalRecord;
import coral.model.WireGuardKey;
import java.time.Instant;
import java.util.Objects;
import java.util.Optional;

/** What happened to an address: the journal of {@link IpAllocator}. */
public sealed interface AllocationEvent extends JournalRecord {
  /** The agent that the event is about. */
  AgentId agentId();

  /** Changes the table, after checking that the event fits it. */
  void applyTo(AllocationTable table);

  /**
   * An agent was given an address that nobody held, or that was reserved for it.
   *
   * @param requestId the request that this change spent; empty if it had none
   * @param componentName what runs on its host; empty in journals that did not keep it
   * @param authentication how it proved who it is; a certificate in journals that did not keep it
   * @param source where it asked from; empty in journals that did not keep it
   */
  record Allocated(
      AgentId agentId,
      int hostNumber,
      WireGuardKey wireGuardKey,
      String requestId,
      Instant at,
      String componentName,
      Authentication authentication,
      String source)
      implements AllocationEvent {
    /** What is absent in a journal of before is null here. */
    public Allocated {
      componentName = Objects.requireNonNullElse(componentName, "");
      authentication = Objects.requireNonNullElse(authentication, Authentication.CERTIFICATE);
      source = Objects.requireNonNullElse(source, "");
    }

    /** Given to an agent with a certificate that says nothing of its host. */
    public Allocated(
        AgentId agentId, int hostNumber, WireGuardKey wireGuardKey, String requestId, Instant at) {
      this(agentId, hostNumber, wireGuardKey, requestId, at, "", Authentication.CERTIFICATE, "");
    }

    @Override
    public void applyTo(AllocationTable table) {
      table.allocated(this);
    }
  }

  /**
   * An agent that keeps its address has a new key.
   *
   * @param requestId the request that this change spent; empty if it had none
   * @param source where it asked from; empty in journals that did not keep it
   */
  record KeyReplaced(
      AgentId agentId, WireGuardKey wireGuardKey, String requestId, Instant at, String source)
      implements AllocationEvent {
    /** What is absent in a journal of before is null here. */
    public KeyReplaced {
      source = Objects.requireNonNullElse(source, "");
    }

    /** Of an agent that asked from nobody knows where. */
    public KeyReplaced(AgentId agentId, WireGuardKey wireGuardKey, String requestId, Instant at) {
      this(agentId, wireGuardKey, requestId, at, "");
    }

    @Override
    public void applyTo(AllocationTable table) {
      table.keyReplaced(this);
    }
  }

  /** An agent gave its address back; the address and the key may be another agent's next. */
  record Released(AgentId agentId, int hostNumber, Instant at) implements AllocationEvent {
    @Override
    public void applyTo(AllocationTable table) {
      table.released(this);
    }
  }

  /**
   * An address that nobody held is held for an agent that has none.
   *
   * @param actor who asked for it
   * @param source where that came from
   * @param requestId what the call is known by
   */
  record Reserved(
      AgentId agentId, int hostNumber, Instant at, String actor, String source, String requestId)
      implements AllocationEvent {
    @Override
    public void applyTo(AllocationTable table) {
      table.reserved(this);
    }
  }

  /** An address is not held for the agent any more, which never came for it. */
  record ReservationReleased(AgentId agentId, int hostNumber, Instant at)
      implements AllocationEvent {
    @Override
    public void applyTo(AllocationTable table) {
      table.reservationReleased(this);
    }
  }

  /**
   * An agent that keeps its address said something else of its host, or proved itself otherwise.
   *
   * @param former how it had proved who it is until then; empty in journals that did not keep it
   * @param source where it asked from; empty in journals that did not keep it
   */
  record Described(
      AgentId agentId,
      String componentName,
      Authentication authentication,
      Instant at,
      Optional<Authentication> former,
      String source)
      implements AllocationEvent {
    /** What is absent in a journal of before is null here. */
    public Described {
      former = Objects.requireNonNullElse(former, Optional.empty());
      source = Objects.requireNonNullElse(source, "");
    }

    @Override
    public void applyTo(AllocationTable table) {
      table.described(this);
    }
  }

  /**
   * A registration token let an agent in, and lets in nobody else.
   *
   * @param tokenId its {@code jti}
   * @param key the WireGuard key that the agent asked with
   * @param expiresAt when the token ends
   */
  record TokenSpent(AgentId agentId, String tokenId, String key, Instant expiresAt, Instant at)
      implements AllocationEvent {
    @Override
    public void applyTo(AllocationTable table) {
      table.tokenSpent(this);
    }
  }
}
