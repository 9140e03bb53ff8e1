package coral.colony;

import coral.address.AllocationEvent;
import coral.audit.JournaledEvent;
import coral.certificate.CertificateAudit;
import coral.certificate.CertificateEvent;
import coral.model.AgentId;
import coral.model.AuditEvent;
import coral.model.AuditEvent.Kind;
import coral.model.AuditSink;
import coral.model.Authentication;
import coral.model.IpPrefix;
import coral.model.MeshAddresses;
import coral.model.MeshSubnet;
import coral.rpc.Caller;
import coral.storage.Projection;
import java.net.InetAddress;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.pekko.Done;

/** What the events of the journals, and callers, are in the words of the audit log. */
final class AuditMapping {
  private static final Pattern MEMBER =
      Pattern.compile("(?:agent|proxy)/([a-z0-9][a-z0-9._-]{0,62})");

  private final MeshSubnet subnet;
  private final Function<AgentId, OptionalInt> hostNumbers;

  /**
   * @param hostNumbers of members, as of now; must not block
   */
  AuditMapping(MeshSubnet subnet, Function<AgentId, OptionalInt> hostNumbers) {
    this.subnet = subnet;
    this.hostNumbers = hostNumbers;
  }

  /** Has events recorded with the mesh addresses of those who caused them. */
  AuditSink locating(AuditSink sink) {
    return new AuditSink() {
      @Override
      public void record(AuditEvent event) {
        sink.record(located(event));
      }

      @Override
      public CompletionStage<Done> recorded(AuditEvent event) {
        return sink.recorded(located(event));
      }
    };
  }

  /** The address of a member by its name, that of anybody else if it came over the mesh. */
  private AuditEvent located(AuditEvent event) {
    if (!event.meshAddress().isEmpty()) {
      return event;
    }
    Matcher member = MEMBER.matcher(event.actor());
    if (member.matches()) {
      OptionalInt hostNumber = hostNumbers.apply(new AgentId(member.group(1)));
      if (hostNumber.isPresent()) {
        return event.at(subnet.addresses(hostNumber.getAsInt()).ipv4());
      }
    }
    return inMesh(event.sourceAddress()).map(event::at).orElse(event);
  }

  private Optional<InetAddress> inMesh(String source) {
    try {
      InetAddress address = IpPrefix.parseAddress(source);
      boolean inside = subnet.ipv4().contains(address) || subnet.ipv6().contains(address);
      return inside ? Optional.of(address) : Optional.empty();
    } catch (IllegalArgumentException e) {
      return Optional.empty(); // unknown, or of a zone
    }
  }

  /** An event by a caller, with who that is, where it came from and what the call is known by. */
  static AuditEvent by(Caller caller, Kind kind) {
    AuditEvent event = AuditEvent.of(kind).by(caller.actor()).request(caller.requestId());
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
              .from(allocated.source())
              .at(addresses.ipv4())
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
              .from(replaced.source())
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
    if (event instanceof AllocationEvent.Reserved reserved) {
      return meaning(
          journaled,
          reserved.at(),
          AuditEvent.of(Kind.ADDRESS_RESERVED)
              .by(reserved.actor())
              .about(reserved.agentId())
              .from(reserved.source())
              .request(reserved.requestId())
              .detail(subnet.addresses(reserved.hostNumber()).ipv4Text()));
    }
    if (event instanceof AllocationEvent.ReservationReleased released) {
      return meaning(
          journaled,
          released.at(),
          AuditEvent.of(Kind.ADDRESS_RELEASED)
              .about(released.agentId())
              .detail(subnet.addresses(released.hostNumber()).ipv4Text() + ", which was reserved"));
    }
    throw new IllegalArgumentException(
        "the audit log does not know what a " + event.getClass().getSimpleName() + " means");
  }

  /** What runs on a host is not for the audit, how its agent proves who it is may be. */
  private JournaledEvent described(
      Projection.JournalEvent journaled, AllocationEvent.Described described) {
    Authentication shown = described.authentication();
    // Journals that did not keep the former proof tell of the weaker ones as they did.
    Authentication former = described.former().orElse(Authentication.CERTIFICATE);
    if (shown == former) {
      return new JournaledEvent(journaled.sequenceNumber(), described.at(), List.of());
    }
    boolean weaker = shown.isWeakerThan(former);
    AuditEvent event =
        AuditEvent.of(weaker ? Kind.AUTHENTICATION_WEAKENED : Kind.AUTHENTICATION_STRENGTHENED)
            .by(AuditEvent.ANYONE)
            .about(described.agentId())
            .from(described.source());
    return meaning(
        journaled,
        described.at(),
        event.detail(
            weaker
                ? "it has proved who it is by " + shown + " alone, by " + former + " before"
                : "it has proved who it is by " + shown + ", by " + former + " alone before"));
  }

  private JournaledEvent meaning(Projection.JournalEvent journaled, Instant at, AuditEvent event) {
    return new JournaledEvent(journaled.sequenceNumber(), at, List.of(located(event)));
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
