package coral.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.certificate.AuthoritySettings;
import coral.certificate.KeyType;
import coral.colony.ColonyFiles;
import coral.linux.Netlink;
import coral.model.ColonyId;
import coral.model.IpPrefix;
import coral.proxy.ProxyState;
import coral.proxy.ProxyState.Status;
import coral.proxy.Way;
import coral.rpc.Role;
import coral.testing.Eventually;
import coral.testing.NetworkTopology;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * RFD 005, "E2E Tests": colonies, discovery and proxies as processes in network namespaces, asked
 * by somebody who knows HTTP and nothing of Coral.
 */
@Timeout(240)
class ProxyTest {
  private static final int PORT = 8000;

  /** What a caller waits at most for the news that the colony is away. */
  private static final Duration AT_ONCE = Duration.ofSeconds(2);

  @TempDir Path home;

  private NetworkState hostBefore;
  private NetworkState proxyHostBefore;
  private NamespaceMesh mesh;
  private ProxySite proxies;
  private ColonyId colony;

  @BeforeEach
  @Timeout(120)
  void build() throws Exception {
    NetworkTopology.assumePossible();
    hostBefore = NetworkState.now();
    mesh = NamespaceMesh.create(home, 2, KeyType.P_256);
    proxies = new ProxySite(mesh, home);
    colony = mesh.created().colonyId();
    proxyHostBefore = mesh.networkOf(0);
    mesh.startDiscovery();
    mesh.startColony();
  }

  @AfterEach
  void endEverything() throws Exception {
    if (mesh == null) {
      return;
    }
    try {
      proxies.close();
    } finally {
      mesh.close();
    }
    for (ChildProcess process : mesh.processes()) {
      assertFalse(process.isAlive(), process::name);
    }
    assertEquals(hostBefore, NetworkState.now());
  }

  @Test
  @DisplayName("RFD 005, full stack and IPv6 mesh: start, ask, lose the colony, be killed, stop")
  void aProxyForwardsOverTheMeshComesBackByItselfAndLeavesNothingBehind(TestReporter reporter)
      throws Exception {
    ChildProcess started = proxies.start(colony, PORT);
    assertTrue(started.out().startsWith("✓ Proxy started (PID: "), started::log);
    assertTrue(started.out().contains("10.42.0.1:9000 (over mesh)"), started::log);
    ProxyState connected = proxies.state(colony);
    ProxyState.Mesh member = connected.mesh().orElseThrow();
    assertEquals(Role.PROXY, connected.role().orElseThrow());
    assertEquals("fd42::1", member.colonyIpv6());
    assertTrue(mesh.networkOf(0).hasLink(member.interfaceName()), member::toString);
    answered();
    assertEquals(
        List.of(connected.proxyId().value()),
        mesh.asAdministrator(Administrator::agents).stream().map(a -> a.getAgentId()).toList());
    // RFD 005: "config files correctly store both", "displays both mesh IPs in status output".
    ChildProcess shown = proxies.run(0, "status");
    assertTrue(shown.out().contains("Colony: 10.42.0.1:9000 / [fd42::1]:9000"), shown::log);
    assertTrue(shown.out().contains(member.ipv4() + " / " + member.ipv6()), shown::log);

    overIpv6(member);
    withoutItsColony(reporter);
    killedAndStartedAgain();

    proxies.run(0, "stop", colony.value());
    assertEquals(proxyHostBefore, mesh.networkOf(0), "no interface, no route");
    assertEquals(
        List.of("colony.conf", "identity.pem", "lock", "proxy.log", "trust-bundle.conf"),
        proxies.filesOf(colony),
        "neither a state nor a WireGuard key");
    Eventually.holds(
        () -> assertEquals(List.of(), mesh.asAdministrator(Administrator::allocations)));
    assertTrue(proxies.run(1, "stop").err().contains("no proxy is running"));
  }

  private void answered() throws Exception {
    ProxySite.Answer answer = proxies.ask(PORT);
    assertTrue(answer.isFrom(colony), answer::toString);
  }

  /** Without its route the mesh's IPv4 is out of reach. */
  private void overIpv6(ProxyState.Mesh member) throws Exception {
    IpPrefix ipv4 = IpPrefix.parse("10.42.0.0/16");
    try (Netlink netlink = mesh.topology().on(0, Netlink::open)) {
      int index = netlink.indexOf(member.interfaceName());
      netlink.removeRoute(ipv4, index);
      ProxyState overIpv6 =
          proxies.await(colony, state -> state.forwardsTo().toString().contains("[fd42::1]:9000"));
      assertEquals(Optional.of(Way.MESH), overIpv6.way());
      answered();
      netlink.putRoute(ipv4, index);
    }
    proxies.await(colony, state -> state.forwardsTo().toString().contains("10.42.0.1:9000"));
    answered();
  }

  private void withoutItsColony(TestReporter reporter) throws Exception {
    long killedAt = System.nanoTime();
    mesh.colony().kill();
    ProxyState offline = proxies.await(colony, state -> state.status() == Status.OFFLINE);
    Duration noticed = Duration.ofNanos(System.nanoTime() - killedAt);
    long askedAt = System.nanoTime();
    ProxySite.Answer refused = proxies.ask(PORT);
    Duration refusedIn = Duration.ofNanos(System.nanoTime() - askedAt);
    assertEquals(503, refused.status(), refused::body);
    assertTrue(refused.body().contains("unavailable"), refused::body);
    assertTrue(offline.reason().isPresent());
    assertTrue(noticed.compareTo(AT_ONCE) < 0, noticed::toString);
    assertTrue(refusedIn.compareTo(AT_ONCE) < 0, refusedIn::toString);

    mesh.startColony();
    long readyAt = System.nanoTime();
    proxies.await(colony, state -> state.status() == Status.CONNECTED);
    reporter.publishEntry(
        "colony killed",
        "noticed after %d ms, refused in %d ms, forwarding %d ms after it was ready again"
            .formatted(
                noticed.toMillis(),
                refusedIn.toMillis(),
                Duration.ofNanos(System.nanoTime() - readyAt).toMillis()));
    answered();
  }

  private void killedAndStartedAgain() throws Exception {
    ProxyState killed = proxies.state(colony);
    killed.process().handle().orElseThrow().destroyForcibly();
    Eventually.holds(() -> assertFalse(killed.process().isAlive()));
    assertEquals(
        Optional.of(killed.process()), proxies.directory(colony).state().map(s -> s.process()));
    assertTrue(proxies.run(0, "list").out().contains("killed"));

    // The next one also shows the other way.
    ChildProcess again = proxies.start(colony, PORT, "--device", "user-space");
    assertTrue(again.out().contains("10.99.0.254:9000 (over the public port)"), again::log);
    ProxyState state = proxies.state(colony);
    assertNotEquals(killed.process(), state.process());
    assertEquals(Optional.of(Way.PUBLIC), state.way());
    assertTrue(state.fallback().orElseThrow().contains("user-space"));
    assertEquals(killed.mesh().map(ProxyState.Mesh::ipv4), state.mesh().map(ProxyState.Mesh::ipv4));
    answered();
  }

  @Test
  @DisplayName("RFD 005, multi-colony: two colonies, two proxies, two interfaces")
  void twoColoniesHaveAProxyEachAndEachAnswersForItself() throws Exception {
    ColonyId other = startAnotherColony();
    proxies.start(colony, PORT);
    String hint = proxies.run(1, startArguments(other, PORT)).err();
    assertTrue(hint.contains("the proxy of " + colony + " listens there"), hint);
    assertTrue(hint.contains("--listen 127.0.0.1:" + (PORT + 1)), hint);
    String running = proxies.run(1, startArguments(colony, PORT + 1)).err();
    assertTrue(running.contains("runs already, on localhost:" + PORT), running);
    proxies.start(other, PORT + 1);

    ProxyState first = proxies.state(colony);
    ProxyState second = proxies.state(other);
    assertEquals("10.42.0.1:9000", first.forwardsTo().orElseThrow().toString());
    assertEquals("10.43.0.1:9001", second.forwardsTo().orElseThrow().toString());
    assertNotEquals(
        first.mesh().orElseThrow().interfaceName(), second.mesh().orElseThrow().interfaceName());
    for (int i = 0; i < 3; i++) {
      answered();
      assertTrue(proxies.ask(PORT + 1).isFrom(other));
    }
    String listed = proxies.run(0, "list", "-o", "json").out();
    assertTrue(listed.contains(colony.value()) && listed.contains(other.value()), listed);

    proxies.run(0, "stop", colony.value());
    assertTrue(proxies.ask(PORT + 1).isFrom(other), "the other one goes on");
    proxies.writeState(colony, "{\"version\" : 7}");
    String unclear = proxies.run(1, "list").err();
    assertTrue(unclear.contains("version 7"), unclear);
    proxies.directory(colony).clear();
    proxies.run(0, "stop");
    assertEquals(proxyHostBefore, mesh.networkOf(0));
  }

  private static String[] startArguments(ColonyId colony, int port) {
    return new String[] {"start", colony.value(), "--daemon", "--listen", "127.0.0.1:" + port};
  }

  /** On host 1, with a mesh of its own. */
  private ColonyId startAnotherColony() throws Exception {
    ColonyId id = ColonyFiles.newId("blog", "test");
    ColonyFiles.createIn(
        ColonyFiles.directory(home, id),
        id,
        "blog",
        "test",
        new AuthoritySettings(KeyType.P_256, Optional.empty(), Optional.empty(), Optional.empty()),
        InstantSource.system());
    Path settings =
        Files.writeString(
            home.resolve("blog.conf"),
            """
            coral.colony {
              listen.port = 9001
              wireguard { device = tun }
              subnet { ipv4 = "10.43.0.0/16", ipv6 = "fd43::/64" }
              public-endpoints = ["10.99.0.2:41820"]
              discovery { url = "https://10.99.0.254:%d", fingerprint = "%s" }
            }
            """
                .formatted(NamespaceMesh.DISCOVERY_PORT, mesh.discoveryFingerprint()));
    mesh.serviceOn(
            1, home, "colony", "start", "--colony", id.value(), "--config", settings.toString())
        .awaitLine(ColonyInstallation.READY);
    return id;
  }
}
