package coral.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.api.colony.v1.GetCACertificateRequest;
import coral.api.colony.v1.GetCACertificateResponse;
import coral.certificate.KeyType;
import coral.e2e.Agent.Membership;
import coral.e2e.NamespaceMesh.Payment;
import coral.model.Endpoint;
import coral.rpc.ClientCertificate;
import coral.rpc.ClientTls;
import coral.rpc.ConnectClient;
import coral.rpc.RpcException;
import coral.testing.NetworkTopology;
import java.net.InetAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * RFD 020 (mTLS draft), "renewal before expiry": two agents in network namespaces with certificates
 * of a minute, which is the shortest that a colony gives, over several of them.
 */
@DisplayName("renewal before expiry without a lost ping")
@Timeout(240)
class RenewedTunnelTest {
  /**
   * A certificate of a minute reaches a minute into the past and is renewed 20 s after its start.
   */
  private static final int GENERATIONS = 3;

  private static final int AGENTS = 2;

  private static final Duration POLL = Duration.ofMillis(50);

  /** Of a session to that with the next certificate: as many heartbeats as a healthy agent owes. */
  private static final Duration LONGEST_CHANGE = Duration.ofSeconds(3);

  private static final Duration TIMEOUT = Duration.ofSeconds(10);

  @TempDir Path home;

  private NetworkState hostBefore;
  private NamespaceMesh mesh;
  private final List<SteadyTraffic> traffic = new ArrayList<>();

  @BeforeEach
  @Timeout(120)
  void build() throws Exception {
    NetworkTopology.assumePossible();
    hostBefore = NetworkState.now();
    mesh = NamespaceMesh.create(home, AGENTS, KeyType.P_256);
    mesh.startDiscovery();
    mesh.startColony(
        NamespaceMesh.PORT, NamespaceMesh.WIREGUARD, "certificates.agent-validity = 1m");
  }

  @AfterEach
  void endEverything() throws Exception {
    try {
      traffic.forEach(SteadyTraffic::close);
    } finally {
      if (mesh != null) {
        mesh.close();
      }
    }
    if (mesh != null) {
      for (ChildProcess process : mesh.processes()) {
        assertFalse(process.isAlive(), process::name);
      }
      assertEquals(hostBefore, NetworkState.now());
    }
  }

  @Test
  void pingsAndSessionsSurviveThreeGenerationsOfCertificates(TestReporter reporter)
      throws Exception {
    List<Agent> agents =
        List.of(
            mesh.startAgent("web-0", 0, Payment.TOKEN),
            mesh.startAgent("web-1", 1, Payment.INVITATION));
    List<Membership> first = new ArrayList<>();
    for (Agent agent : agents) {
      first.add(agent.awaitJoined(0));
    }
    mesh.awaitEcho(agents.get(0), first.get(1).ipv4());
    pings("web-0 to web-1, IPv4", 0, first.get(1).ipv4());
    pings("web-1 to web-0, IPv6", 1, first.get(0).ipv6());
    pings("web-0 to the colony, IPv6", 0, first.get(0).colonyIpv6());
    traffic.add(colonySees("healthy agents", agent -> agent.getStatus().equals("healthy")));
    // Between the first call with the new certificate, which ends the former one's session, and the
    // new session an agent is on its way.
    SteadyTraffic sessions = colonySees("connected agents", agent -> agent.getConnected());
    long startedAt = System.nanoTime();
    StringBuilder figures = new StringBuilder();
    List<Member> members = new ArrayList<>();
    for (int index = 0; index < agents.size(); index++) {
      members.add(new Member(agents.get(index), first.get(index)));
    }
    for (int generation = 2; generation <= GENERATIONS; generation++) {
      for (Member member : members) {
        member.keepCertificate();
      }
      for (Member member : members) {
        member.awaitRenewal();
        figures.append(
            "%s: certificate %d in use %.1f s after the start\n"
                .formatted(member.agent.id(), generation, (System.nanoTime() - startedAt) / 1e9));
      }
    }
    for (Member member : members) {
      assertEquals(List.of(), member.failures());
      assertEquals(GENERATIONS, member.serials.size(), member.serials::toString);
    }
    long until = System.nanoTime();
    for (SteadyTraffic each : traffic) {
      each.awaitEnded(until, 1);
    }
    sessions.close();
    for (SteadyTraffic each : traffic) {
      figures.append(each.figures(startedAt, until)).append('\n');
    }
    Duration withoutSession = sessions.longestGap(startedAt, until);
    figures
        .append(sessions.figures(startedAt, until))
        .append("; not both of them for %d ms%n".formatted(withoutSession.toMillis()));
    reporter.publishEntry("renewal", figures.toString());
    for (SteadyTraffic each : traffic) {
      assertTrue(each.count(startedAt, until) > 0, each::toString);
      assertEquals(
          0, each.lost(startedAt, until), () -> each + "; first failure: " + each.firstFailure());
    }
    assertTrue(withoutSession.compareTo(LONGEST_CHANGE) <= 0, figures::toString);
  }

  /** An agent on its way through its certificates, each of which ends the one before. */
  private final class Member {
    private final Agent agent;
    private final Membership first;
    private final int joined;
    private final Set<String> serials = new HashSet<>();
    private int mark;
    private @Nullable ClientCertificate former;

    Member(Agent agent, Membership first) {
      this.agent = agent;
      this.first = first;
      this.joined = agent.process().mark();
      this.mark = joined;
      serials.add(first.certificateSerial());
    }

    void keepCertificate() throws Exception {
      former = mesh.stateOf(agent.id()).certificate();
      call(former); // it is in use
    }

    void awaitRenewal() throws Exception {
      ClientCertificate ended = Objects.requireNonNull(former);
      Membership now = agent.awaitJoined(mark);
      mark = agent.process().mark();
      serials.add(now.certificateSerial());
      assertEquals(first.addresses(), now.addresses());
      RpcException refused = assertThrows(RpcException.class, () -> call(ended));
      assertEquals(RpcException.Reason.CERTIFICATE_REFUSED, refused.reason(), refused.getMessage());
      call(mesh.stateOf(agent.id()).certificate());
    }

    /** Of its session and of its renewals, since it joined first. */
    List<String> failures() {
      return agent.process().linesSince(joined).stream()
          .filter(line -> line.contains("\"event\":\"failed\"") || line.contains(" WARN "))
          .toList();
    }
  }

  private void pings(String name, int host, InetAddress target) throws Exception {
    traffic.add(Pings.start(name, mesh.topology(), host, target));
  }

  /** Asks the colony all the time whether both agents are as they should be. */
  private SteadyTraffic colonySees(String what, Predicate<coral.api.colony.v1.Agent> isAsItShouldBe)
      throws Exception {
    Administrator administrator = mesh.administrator();
    return SteadyTraffic.start(
        what,
        POLL,
        List.of(
            new SteadyTraffic.Worker() {
              @Override
              public boolean attempt() throws Exception {
                List<coral.api.colony.v1.Agent> agents =
                    mesh.topology().inHub(administrator::agents);
                return agents.stream().filter(isAsItShouldBe).count() == AGENTS;
              }

              @Override
              public void close() {}
            }));
  }

  /** What everybody may ask, and nobody with a certificate that has ended. */
  private void call(ClientCertificate certificate) throws Exception {
    ConnectClient client =
        ConnectClient.https(
            new Endpoint("127.0.0.1", NamespaceMesh.PORT),
            ClientTls.pinned(
                mesh.created().caFingerprint(),
                "spiffe://" + mesh.created().colonyId() + "/colony",
                Optional.of(certificate)),
            TIMEOUT,
            TIMEOUT);
    mesh.topology()
        .inHub(
            () ->
                client.call(
                    "coral.colony.v1.ColonyService/GetCACertificate",
                    GetCACertificateRequest.getDefaultInstance(),
                    GetCACertificateResponse.parser()));
  }
}
