package coral.colony;

import coral.address.AllocationEvent;
import coral.audit.JournaledEvent;
import coral.certificate.CertificateAudit;
import coral.certificate.CertificateEvent;
import coral.model.AuditEvent;
import coral.model.AuditEvent.Kind;
import coral.model.Authentication;
import coral.model.MeshAddresses;
import coral.model.MeshSubnet;
import coral.rpc.Caller;
import coral.storage.Projection;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** What the events of the journals, and callers, are in the words of the audit log. */
final class AuditMapping {
  private final MeshSubnet subnet;

  AuditMapping(MeshSubnet subnet) {
    this.subnet = subnet;
  }

  /** An event by a caller, with who that is and where the connection came from. */
  static AuditEvent by(Caller caller, Kind kind) {
    AuditEvent event = AuditEvent.of(kind).by(caller.actor());
    return caller.remote().getAddress() == null ? event : event.from(caller.remote().getAddress());
  }

  /**
   * What an event of a journal means.
   *
   * @throws IllegalArgumentException for an event that this does not know: none may be left out
   */
  JournaledEvent of(Projection.JournalEvent journaled) {
    Object event = journaled.event();
    if (event instanceof CertificateEvent certificate) {
      return meaning(journaled, certificate.at(), CertificateAudit.of(certificate));
    }
    if (event instanceof AllocationEvent.Allocated allocated) {
      MeshAddresses addresses = subnet.addresses(allocated.hostNumber());
      return meaning(
          journaled,
          allocated.at(),
          AuditEvent.of(Kind.ADDRESS_ALLOCATED)
              .by("agent/" + allocated.agentId())
              .about(allocated.agentId())
              .request(allocated.requestId())
              .detail(
                  addresses.ipv4Text()
                      + ", "
                      + addresses.ipv6Text()
                      + ", WireGuard key "
                      + allocated.wireGuardKey()
                      + ", by "
                      + allocated.authentication()));
    }
    if (event instanceof AllocationEvent.KeyReplaced replaced) {
      return meaning(
          journaled,
          replaced.at(),
          AuditEvent.of(Kind.WIREGUARD_KEY_REPLACED)
              .by("agent/" + replaced.agentId())
              .about(replaced.agentId())
              .request(replaced.requestId())
              .detail("WireGuard key " + replaced.wireGuardKey()));
    }
    if (event instanceof AllocationEvent.Described described) {
      return described(journaled, described);
    }
    if (event instanceof AllocationEvent.TokenSpent spent) {
      return meaning(
          journaled,
          spent.at(),
          AuditEvent.of(Kind.TOKEN_SPENT)
              .by(AuditEvent.ANYONE)
              .about(spent.agentId())
              .detail(
                  "token " + spent.tokenId() + ", for an address, WireGuard key " + spent.key()));
    }
    if (event instanceof AllocationEvent.Released released) {
      // Who asked for it stands in the record of the call, which comes before this one.
      return meaning(
          journaled,
          released.at(),
          AuditEvent.of(Kind.ADDRESS_RELEASED)
              .about(released.agentId())
              .detail(subnet.addresses(released.hostNumber()).ipv4Text()));
    }
    throw new IllegalArgumentException(
        "the audit log does not know what a " + event.getClass().getSimpleName() + " means");
  }

  /** What runs on a host is not for the audit, how its agent proves who it is may be. */
  private static JournaledEvent described(
      Projection.JournalEvent journaled, AllocationEvent.Described described) {
    return described.authentication() == Authentication.CERTIFICATE
        ? new JournaledEvent(journaled.sequenceNumber(), described.at(), List.of())
        : meaning(
            journaled,
            described.at(),
            AuditEvent.of(Kind.AUTHENTICATION_WEAKENED)
                .by(AuditEvent.ANYONE)
                .about(described.agentId())
                .detail("it has proved who it is by " + described.authentication() + " alone"));
  }

  private static JournaledEvent meaning(
      Projection.JournalEvent journaled, Instant at, AuditEvent event) {
    return new JournaledEvent(journaled.sequenceNumber(), at, List.of(event));
  }

  /** The event's kind by its name in the protocol; empty for a name that there is not. */
  static Optional<Kind> kind(String wireName) {
    for (Kind kind : Kind.values()) {
      if (kind.wireName().equals(wireName)) {
        return Optional.of(kind);
      }
    }
    return Optional.empty();
  }
}
