package coral.certificate;

import coral.model.AgentId;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * An agent id that was claimed, at one moment. Its certificates stand here also while it is frozen
 * or revoked: then none is good.
 *
 * @param generation how many certificates were issued to it
 * @param reason why it is not active; empty if it is
 * @param since when its state began
 * @param current the certificate in use
 * @param next the newest certificate, which nobody has used yet
 * @param rebindUntil until when another key may claim the id
 */
public record AgentIdentity(
    AgentId agentId,
    CertificateRole role,
    long generation,
    IdentityState state,
    String reason,
    Instant since,
    Optional<IssuedCertificate> current,
    Optional<IssuedCertificate> next,
    Optional<Instant> rebindUntil) {
  static AgentIdentity claimed(AgentId agentId, CertificateRole role, Instant at) {
    return new AgentIdentity(
        agentId,
        role,
        0,
        IdentityState.ACTIVE,
        "",
        at,
        Optional.empty(),
        Optional.empty(),
        Optional.empty());
  }

  /** The current certificate, then the next one. */
  List<IssuedCertificate> certificates() {
    return Stream.of(current, next).flatMap(Optional::stream).toList();
  }

  /** Those that may be used, unless they have expired. */
  List<IssuedCertificate> good() {
    return state == IdentityState.ACTIVE ? certificates() : List.of();
  }

  /** The next certificate, or else the current one. */
  Optional<IssuedCertificate> newest() {
    return next.or(() -> current);
  }

  /**
   * Whether another key has claimed a member's id and has not registered with it yet: no
   * certificate was used since. The WireGuard key that the id has until then is that of the former
   * holder, who may be a thief. The first certificate of all follows nobody.
   */
  boolean awaitsRegistration() {
    return role.isMember() && current.isEmpty() && generation > 1;
  }

  boolean mayRebind(Instant now) {
    return rebindUntil.filter(now::isBefore).isPresent();
  }

  /** Why nobody may use a certificate of it, and what to do; for one that is not active. */
  String inactive() {
    return state == IdentityState.FROZEN ? frozen(agentId, reason) : revoked(agentId, reason);
  }

  static String frozen(AgentId agentId, String reason) {
    return "the identity '"
        + agentId
        + "' is frozen ("
        + reason
        + "): find out which host is the right one, run `coral agent allow-rebind "
        + agentId
        + "`, and join that host again with a new key";
  }

  private static String revoked(AgentId agentId, String reason) {
    return "the identity '"
        + agentId
        + "' was revoked ("
        + reason
        + "); `coral agent allow-rebind "
        + agentId
        + "` lets a new key claim it";
  }

  AgentIdentity with(long generation, IssuedCertificate next) {
    return new AgentIdentity(
        agentId, role, generation, state, reason, since, current, Optional.of(next), rebindUntil);
  }

  AgentIdentity promoted() {
    return new AgentIdentity(
        agentId, role, generation, state, reason, since, next, Optional.empty(), rebindUntil);
  }

  /** Ends whatever may be used, and whatever was allowed. */
  AgentIdentity ended(IdentityState state, String reason, Instant at) {
    return new AgentIdentity(
        agentId, role, generation, state, reason, at, current, next, Optional.empty());
  }

  AgentIdentity rebindAllowed(Instant until) {
    return new AgentIdentity(
        agentId, role, generation, state, reason, since, current, next, Optional.of(until));
  }

  /** As new, but for its history. */
  AgentIdentity rebound(Instant at) {
    return new AgentIdentity(
        agentId,
        role,
        generation,
        IdentityState.ACTIVE,
        "",
        at,
        Optional.empty(),
        Optional.empty(),
        Optional.empty());
  }
}
