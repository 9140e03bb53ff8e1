package coral.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.api.colony.v1.Allocation;
import coral.api.mesh.v1.DeregisterAgentResponse;
import coral.certificate.KeyType;
import coral.e2e.Agent.Membership;
import coral.e2e.NamespaceMesh.Payment;
import coral.model.Endpoint;
import coral.model.IpPrefix;
import coral.testing.NetworkTopology;
import java.net.InetAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The life of one mesh, as one story: a colony and ten agents, each in its own process and network
 * namespace, with real interfaces, WireGuard, TLS and a database file. Each test goes on where the
 * one before ended.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@Timeout(600)
class MeshTest {
  private static final int AGENTS = 10;
  private static final String INTERFACE = "coral0";

  private NetworkState hostBefore;
  private NamespaceMesh mesh;
  private NetworkState hubBefore;

  /** The network of each host before an agent ran there. */
  private final List<NetworkState> before = new ArrayList<>();

  private final List<Agent> agents = new ArrayList<>();

  /** What each agent was told at its first join. */
  private final Map<String, Membership> memberships = new LinkedHashMap<>();

  @BeforeAll
  void startColony(@TempDir Path home) throws Exception {
    NetworkTopology.assumePossible();
    hostBefore = NetworkState.now();
    mesh = NamespaceMesh.create(home, AGENTS, KeyType.RSA_4096);
    hubBefore = mesh.networkOfHub();
    for (int host = 0; host < AGENTS; host++) {
      before.add(mesh.networkOf(host));
    }
    mesh.startDiscovery();
    mesh.startColony();
  }

  @AfterAll
  void endEverything() {
    if (mesh != null) {
      mesh.close();
    }
  }

  private Membership membership(Agent agent) {
    Membership membership = memberships.get(agent.id());
    if (membership == null) {
      throw agent.process().failure("it has not joined in an earlier step");
    }
    return membership;
  }

  private Agent agent(int index) {
    assertEquals(AGENTS, agents.size(), "the agents were not started in an earlier step");
    return agents.get(index);
  }

  /** The one after it, in a ring. */
  private Agent neighbour(Agent agent) {
    return agent((agents.indexOf(agent) + 1) % AGENTS);
  }

  private Map<Agent, Integer> marks() {
    Map<Agent, Integer> marks = new LinkedHashMap<>();
    agents.forEach(agent -> marks.put(agent, agent.process().mark()));
    return marks;
  }

  private static int mark(Map<Agent, Integer> marks, Agent agent) {
    return Objects.requireNonNull(marks.get(agent));
  }

  /** Half of them were invited, the others share the secret: both buy certificates. */
  private static Payment payment(int host) {
    return host % 2 == 0 ? Payment.INVITATION : Payment.TOKEN;
  }

  @Test
  @Order(1)
  void tenAgentsJoinAtOnceWithoutConflict() throws Exception {
    for (int host = 0; host < AGENTS; host++) {
      agents.add(mesh.startAgent("agent-" + host, host, payment(host)));
    }
    Set<String> expected = new TreeSet<>();
    Set<String> given = new TreeSet<>();
    Set<String> serials = new TreeSet<>();
    for (Agent agent : agents) {
      Membership joined = agent.awaitJoined(0);
      memberships.put(agent.id(), joined);
      assertTrue(joined.isProbed(), () -> agent.id() + " joined without a probe of both families");
      expected.add("10.42.0." + (expected.size() + 2)); // after the colony's own
      given.add(joined.ipv4().getHostAddress());
      serials.add(joined.certificateSerial());
      assertEquals(joined.ipv4().getAddress()[3], joined.ipv6().getAddress()[15]);
      assertTrue(mesh.networkOf(agent.host()).hasLink(INTERFACE));
    }
    assertEquals(expected, given);
    assertEquals(AGENTS, serials.size());
    Map<String, String> told = new LinkedHashMap<>();
    for (Allocation allocation : mesh.asAdministrator(Administrator::allocations)) {
      told.put(allocation.getAgentId(), allocation.getIpAddress());
    }
    for (Agent agent : agents) {
      assertEquals(membership(agent).ipv4().getHostAddress(), told.remove(agent.id()));
    }
    assertEquals(Map.of(), told);
  }

  @Test
  @Order(2)
  void agentsPingEachOtherThroughTheHub() throws Exception {
    echoEverywhere();
  }

  @Test
  @Order(3)
  void agentsCarryTcpThroughTheHubOverBothFamilies() throws Exception {
    for (int i = 0; i < 2; i++) {
      Agent from = agent(i);
      Agent to = neighbour(from);
      for (InetAddress address : membership(to).addresses()) {
        TcpTransfer.send(mesh.topology(), from.host(), to.host(), address);
      }
    }
  }

  /**
   * The colony comes back at a port where no agent finds it: whatever the tunnels do, they do by
   * handshakes alone.
   */
  @Test
  @Order(4)
  void tunnelsSurviveAKilledColonyThatNoAgentCanCall(TestReporter reporter) throws Exception {
    Map<Agent, Integer> marks = marks();
    mesh.colony().kill();
    mesh.colony().awaitExit();
    for (Agent agent : agents) {
      agent.awaitFailure(mark(marks, agent), "SESSION_LOST");
    }
    mesh.startColony(NamespaceMesh.PORT + 1, NamespaceMesh.WIREGUARD, "");
    long ready = System.nanoTime();
    echoEverywhere();
    reporter.publishEntry(
        "tunnels resumed", "%.1f s after the colony".formatted((System.nanoTime() - ready) / 1e9));
    for (Agent agent : agents) {
      assertFalse(agent.hasJoined(mark(marks, agent)), () -> agent.id() + " registered again");
    }
    assertEquals(0, mesh.asAdministrator(Administrator::status).getAgentCount());
    assertEquals(AGENTS, mesh.asAdministrator(Administrator::status).getAllocatedAddresses());
  }

  @Test
  @Order(5)
  void agentsComeBackWithTheSameAddressesWhenTheyFindTheColonyAgain() throws Exception {
    Map<Agent, Integer> marks = marks();
    mesh.colony().terminate();
    assertEquals(0, mesh.colony().awaitExit());
    mesh.startColony();
    everybodyIsBack(marks);
  }

  @Test
  @Order(6)
  void aColonyStoppedInOrderAndStartedAgainChangesNothing() throws Exception {
    Map<Agent, Integer> marks = marks();
    mesh.colony().terminate();
    assertEquals(0, mesh.colony().awaitExit());
    assertEquals(hubBefore, mesh.networkOfHub());
    for (Agent agent : agents) {
      agent.awaitFailure(mark(marks, agent), "SESSION_LOST");
    }
    mesh.startColony();
    everybodyIsBack(marks);
  }

  @Test
  @Order(7)
  void agentsFollowTheColonyToAnotherSocketOverIpv6() throws Exception {
    Map<Agent, Integer> marks = marks();
    mesh.colony().terminate();
    assertEquals(0, mesh.colony().awaitExit());
    mesh.startColony(NamespaceMesh.PORT, Endpoint.parse("[fd99::fe]:41821"), "");
    everybodyIsBack(marks);
  }

  @Test
  @Order(8)
  void anAgentKilledAndRestartedKeepsItsAddress() throws Exception {
    Agent killed = agent(3);
    killed.process().kill();
    killed.process().awaitExit();
    assertFalse(mesh.networkOf(killed.host()).hasLink(INTERFACE));
    Agent restarted = mesh.startAgentAgain(killed.id(), killed.host());
    agents.set(3, restarted);
    Membership again = restarted.awaitJoined(0);
    assertSameMember(restarted, again);
    for (InetAddress address : membership(neighbour(restarted)).addresses()) {
      mesh.awaitEcho(restarted, address);
    }
    for (InetAddress address : again.addresses()) {
      mesh.awaitEcho(agent(2), address);
    }
  }

  @Test
  @Order(9)
  void sigtermRemovesTheInterfaceAndNothingElse() throws Exception {
    Agent leaving = agent(5);
    leaving.process().terminate();
    assertEquals(
        0, leaving.process().awaitExit(), () -> leaving.process().failure("").getMessage());
    assertEquals(before.get(leaving.host()), mesh.networkOf(leaving.host()));
    Agent back = mesh.startAgentAgain(leaving.id(), leaving.host());
    agents.set(5, back);
    assertSameMember(back, back.awaitJoined(0));
  }

  @Test
  @Order(10)
  void aDeregisteredAddressIsGivenAgain() throws Exception {
    Agent former = agent(6);
    Membership membership = membership(former);
    DeregisterAgentResponse released =
        mesh.asAdministrator(administrator -> administrator.deregister(former.id()));
    assertEquals(membership.ipv4(), IpPrefix.parseAddress(released.getReleasedIp()));
    assertEquals(membership.ipv6(), IpPrefix.parseAddress(released.getReleasedIpv6()));
    assertEquals(1, former.process().awaitExit(), "an agent without an address ends");
    assertEquals(before.get(former.host()), mesh.networkOf(former.host()));

    Agent heir = mesh.startAgent("newcomer", former.host(), Payment.INVITATION);
    agents.set(6, heir);
    Membership inherited = heir.awaitJoined(0);
    memberships.put(heir.id(), inherited);
    assertEquals(membership.addresses(), inherited.addresses());
    assertNotEquals(membership.certificateSerial(), inherited.certificateSerial());
    for (InetAddress address : inherited.addresses()) {
      mesh.awaitEcho(agent(0), address);
    }
  }

  @Test
  @Order(11)
  void nothingIsLeftOfItAndTheHostsOwnNetworkIsAsBefore() throws Exception {
    mesh.close();
    for (ChildProcess process : mesh.processes()) {
      assertFalse(process.isAlive(), process::name);
    }
    assertEquals(hostBefore, NetworkState.now());
  }

  /** From each agent to the colony and to its neighbour, over both families. */
  private void echoEverywhere() throws Exception {
    for (Agent agent : agents) {
      for (InetAddress address : membership(agent).colony()) {
        mesh.awaitEcho(agent, address);
      }
    }
    // Only now: the colony does not know where an agent is before it has had its handshake.
    for (Agent agent : agents) {
      for (InetAddress address : membership(neighbour(agent)).addresses()) {
        mesh.awaitEcho(agent, address);
      }
    }
  }

  private void everybodyIsBack(Map<Agent, Integer> marks) throws Exception {
    for (Agent agent : agents) {
      assertSameMember(agent, agent.awaitJoined(mark(marks, agent)));
    }
    echoEverywhere();
    assertEquals(AGENTS, mesh.asAdministrator(Administrator::status).getAgentCount());
    assertEquals(AGENTS, mesh.asAdministrator(Administrator::status).getAllocatedAddresses());
  }

  private void assertSameMember(Agent agent, Membership again) {
    assertEquals(membership(agent).addresses(), again.addresses(), agent.id());
    assertEquals(membership(agent).certificateSerial(), again.certificateSerial(), agent.id());
  }
}
