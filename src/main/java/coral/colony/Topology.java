package coral.colony;

import coral.api.colony.v1.Connection;
import coral.api.colony.v1.GetTopologyResponse;
import coral.api.colony.v1.Peer;
import coral.model.Addresses;
import coral.model.Endpoint;
import coral.model.Failure;
import coral.model.IpPrefix;
import coral.model.MeshAddresses;
import coral.model.MeshSubnet;
import coral.model.RefusedException;
import coral.model.WireGuardKey;
import coral.session.ConnectionDirectory;
import coral.wireguard.PeerStatistics;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.AskPattern;
import org.jspecify.annotations.Nullable;

/**
 * Who is connected to whom, put together for each question: the tunnels as the hub has them, and
 * what agents have observed between each other.
 */
final class Topology {
  /** What fits an answer that has no pages. */
  private static final int MAX_AGENTS = 10_000;

  /** A tunnel whose last handshake is older is down: REJECT_AFTER_TIME of WireGuard. */
  private static final Duration TUNNEL_LIFE = Duration.ofMinutes(3);

  private static final Duration TIMEOUT = Duration.ofSeconds(5);

  private final String colonyId;
  private final int colonyPort;
  private final AgentOverview agents;
  private final AgentMapping mapping;
  private final MeshView mesh;
  private final Hub hub;
  private final ActorRef<ConnectionDirectory.Command> connections;
  private final InstantSource clock;
  private final ActorSystem<?> system;

  Topology(
      ColonySettings settings,
      AgentOverview agents,
      AgentMapping mapping,
      MeshView mesh,
      Hub hub,
      ActorRef<ConnectionDirectory.Command> connections,
      InstantSource clock,
      ActorSystem<?> system) {
    this.colonyId = settings.colonyId().value();
    this.colonyPort = settings.listenPort();
    this.agents = agents;
    this.mapping = mapping;
    this.mesh = mesh;
    this.hub = hub;
    this.connections = connections;
    this.clock = clock;
    this.system = system;
  }

  CompletionStage<GetTopologyResponse> answer() {
    CompletionStage<ConnectionDirectory.Reports> reports =
        AskPattern.<ConnectionDirectory.Command, ConnectionDirectory.Reports>ask(
            connections, ConnectionDirectory.ListReports::new, TIMEOUT, system.scheduler());
    return collect(0, new ArrayList<>()).thenCombine(reports, this::answer);
  }

  private CompletionStage<List<AgentOverview.Member>> collect(
      int fromHostNumber, List<AgentOverview.Member> collected) {
    return agents
        .page(fromHostNumber, Requests.MAX_PAGE)
        .thenCompose(
            page -> {
              collected.addAll(page.members());
              if (page.nextHostNumber() == 0) {
                return CompletableFuture.completedFuture(collected);
              }
              if (collected.size() >= MAX_AGENTS) {
                throw new RefusedException(
                    Failure.LIMIT_REACHED,
                    "a topology has at most " + MAX_AGENTS + " agents: use ListAgents");
              }
              return collect(page.nextHostNumber(), collected);
            });
  }

  private GetTopologyResponse answer(
      List<AgentOverview.Member> members, ConnectionDirectory.Reports reports) {
    Map<WireGuardKey, PeerStatistics> tunnels =
        hub.device().statistics().stream()
            .collect(Collectors.toMap(PeerStatistics::publicKey, Function.identity()));
    members.sort(Comparator.comparing(member -> member.allocation().agentId().value()));
    Instant alive = clock.instant().minus(TUNNEL_LIFE);
    GetTopologyResponse.Builder topology = GetTopologyResponse.newBuilder().setColonyId(colonyId);
    for (AgentOverview.Member member : members) {
      topology.addAgents(mapping.agent(member));
      @Nullable PeerStatistics tunnel = tunnels.get(member.allocation().wireGuardKey());
      if (tunnel != null) {
        topology.addPeers(peer(member, tunnel));
        tunnel
            .lastHandshake()
            .filter(at -> at.isAfter(alive))
            .ifPresent(at -> topology.addConnections(tunnel(member, tunnel, at)));
      }
    }
    return topology.addAllConnections(observed(members, reports)).build();
  }

  private Peer peer(AgentOverview.Member member, PeerStatistics tunnel) {
    MeshAddresses own = mesh.subnet().addresses(member.allocation().hostNumber());
    Peer.Builder peer =
        Peer.newBuilder()
            .setAgentId(member.allocation().agentId().value())
            .setWireguardPubkey(tunnel.publicKey().toString())
            .setReceivedBytes(tunnel.receivedBytes())
            .setSentBytes(tunnel.sentBytes())
            .addAllowedIps(IpPrefix.host(own.ipv4()).toString())
            .addAllowedIps(IpPrefix.host(own.ipv6()).toString());
    tunnel
        .endpoint()
        .map(address -> new Endpoint(Addresses.text(address.getAddress()), address.getPort()))
        .ifPresent(endpoint -> peer.setEndpoint(endpoint.toString()));
    tunnel.lastHandshake().ifPresent(at -> peer.setLastHandshake(Protobuf.timestamp(at)));
    roundTrip(member).ifPresent(time -> peer.setRoundTrip(Protobuf.duration(time)));
    return peer.build();
  }

  private static Optional<Duration> roundTrip(AgentOverview.Member member) {
    return member.session().flatMap(session -> session.roundTripIpv4().or(session::roundTripIpv6));
  }

  /** What the hub has received the agent has sent. */
  private Connection tunnel(AgentOverview.Member member, PeerStatistics tunnel, Instant handshake) {
    return Connection.newBuilder()
        .setSourceId(member.allocation().agentId().value())
        .setTargetId(colonyId)
        .setConnectionType("wireguard")
        .setEvidence("handshake")
        .setPath("direct")
        .setCount(1)
        .setLastSeen(Protobuf.timestamp(handshake))
        .setSentBytes(tunnel.receivedBytes())
        .setReceivedBytes(tunnel.sentBytes())
        .build();
  }

  private List<Connection> observed(
      List<AgentOverview.Member> members, ConnectionDirectory.Reports reports) {
    Map<Integer, String> names = new HashMap<>();
    Map<String, Integer> numbers = new HashMap<>();
    names.put(MeshSubnet.COLONY_HOST_NUMBER, colonyId);
    for (AgentOverview.Member member : members) {
      names.put(member.allocation().hostNumber(), member.allocation().agentId().value());
      numbers.put(member.allocation().agentId().value(), member.allocation().hostNumber());
    }
    ObservedConnections observed = new ObservedConnections(colonyPort);
    for (ConnectionDirectory.AgentReport told : reports.reports()) {
      @Nullable Integer reporter = numbers.get(told.agentId().value());
      if (reporter != null) {
        observed.add(reporter, told.report(), told.at());
      }
    }
    return observed.between(names);
  }
}
