package coral.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.certificate.KeyType;
import coral.e2e.Agent.Membership;
import coral.e2e.NamespaceMesh.Payment;
import coral.rpc.RpcException;
import coral.testing.NetworkTopology;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * RFD 020 (mTLS draft), "revoked agent loses its tunnel", and L4: four agents in network namespaces
 * ping each other through the colony, one that does as it is told and one that does not are revoked
 * by {@code coral revoke-agent}. Each test goes on where the one before ended.
 */
@DisplayName("a revoked agent loses its tunnel")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@Timeout(240)
class RevokedTunnelTest {
  /** From the answer to the revocation: stream closed, peer removed. */
  private static final Duration BOUND = Duration.ofSeconds(1);

  /** Two seconds of pings. */
  private static final int SOME = 40;

  private static final String OBEDIENT = "obedient";
  private static final String REBEL = "rebel";

  private NetworkState hostBefore;
  private NamespaceMesh mesh;
  private final List<Agent> others = new ArrayList<>();
  private Agent obedient;
  private Outlaw outlaw;
  private Membership otherAddresses;

  /** Pings between agents that nobody revokes. */
  private final List<SteadyTraffic> unconcerned = new ArrayList<>();

  /** Pings from and to agents that will be revoked. */
  private final List<SteadyTraffic> doomed = new ArrayList<>();

  /** Calls on the outlaw's open connection. */
  private SteadyTraffic calls;

  private long startedAt;

  @BeforeAll
  @Timeout(120)
  void joinEverybody(@TempDir Path home) throws Exception {
    NetworkTopology.assumePossible();
    hostBefore = NetworkState.now();
    mesh = NamespaceMesh.create(home, 4, KeyType.P_256);
    mesh.startDiscovery();
    mesh.startColony();
    others.add(mesh.startAgent("other-0", 0, Payment.TOKEN));
    others.add(mesh.startAgent("other-1", 1, Payment.INVITATION));
    obedient = mesh.startAgent(OBEDIENT, 2, Payment.TOKEN);
    Agent rebel = mesh.startAgent(REBEL, 3, Payment.INVITATION);
    otherAddresses = others.get(0).awaitJoined(0);
    Membership other1 = others.get(1).awaitJoined(0);
    Membership obedientAddresses = obedient.awaitJoined(0);
    Membership rebelAddresses = rebel.awaitJoined(0);
    rebel.process().kill();
    rebel.process().awaitExit();
    outlaw = Outlaw.of(mesh, rebel, rebelAddresses);
    mesh.awaitEcho(rebel, otherAddresses.ipv4());

    unconcerned.add(pings("other-0 to other-1", 0, other1.ipv4()));
    unconcerned.add(pings("other-1 to other-0", 1, otherAddresses.ipv6()));
    doomed.add(pings("obedient to other-0", 2, otherAddresses.ipv4()));
    doomed.add(pings("other-1 to obedient", 1, obedientAddresses.ipv6()));
    doomed.add(pings("outlaw to other-0", 3, otherAddresses.ipv4()));
    doomed.add(pings("other-1 to outlaw", 1, rebelAddresses.ipv6()));
    calls = SteadyTraffic.start("calls of the outlaw", Pings.PERIOD, List.of(caller()));
    startedAt = System.nanoTime();
  }

  private SteadyTraffic pings(String name, int host, InetAddress target) throws Exception {
    return Pings.start(name, mesh.topology(), host, target);
  }

  private SteadyTraffic.Worker caller() throws Exception {
    HeldConnection connection = outlaw.connect();
    return new SteadyTraffic.Worker() {
      @Override
      public boolean attempt() throws Exception {
        outlaw.register(connection);
        return true;
      }

      @Override
      public void close() throws Exception {
        connection.close();
      }
    };
  }

  @AfterAll
  void endEverything() throws Exception {
    try {
      unconcerned.forEach(SteadyTraffic::close);
      doomed.forEach(SteadyTraffic::close);
      if (calls != null) {
        calls.close();
      }
      if (outlaw != null) {
        outlaw.close();
      }
    } finally {
      if (mesh != null) {
        mesh.close();
      }
    }
  }

  @Test
  @Order(1)
  void beforeTheRevocationEverythingIsAnswered() throws Exception {
    for (SteadyTraffic traffic : all()) {
      traffic.awaitEnded(startedAt, SOME);
      assertEquals(0, traffic.lost(startedAt, System.nanoTime()), () -> explained(traffic));
    }
    outlaw.register();
    outlaw.registerResuming();
    outlaw.registerResuming(); // with whatever the first one left
    assertEquals(3, mesh.asAdministrator(Administrator::status).getAgentCount());
  }

  @Test
  @Order(2)
  @DisplayName("L4: within a second of the answer, and nobody else loses a ping")
  void itsTunnelItsStreamAndItsConnectionsEndWithinASecond(TestReporter reporter) throws Exception {
    int mark = obedient.process().mark();
    long asked = System.nanoTime();
    ChildProcess first = mesh.coral("revoke-agent", OBEDIENT, "--reason", "host stolen");
    ChildProcess second = mesh.coral("revoke-agent", REBEL, "--reason", "host taken over");
    // Each has a thread of its own, so that none is seen late because another one is.
    long obedientAnswered;
    long rebelAnswered;
    long streamEnded;
    ExecutorService watchers = Executors.newFixedThreadPool(3);
    try {
      Future<Long> ofObedient = watchers.submit(() -> answered(first));
      Future<Long> ofRebel = watchers.submit(() -> answered(second));
      Future<Long> ofStream =
          watchers.submit(
              () -> {
                obedient.awaitFailure(mark, "REVOKED");
                return System.nanoTime();
              });
      obedientAnswered = ofObedient.get();
      rebelAnswered = ofRebel.get();
      streamEnded = ofStream.get();
    } finally {
      watchers.shutdownNow();
    }
    long answered = Math.max(obedientAnswered, rebelAnswered);
    assertEquals(0, first.awaitExit(), first::err);
    assertEquals(0, second.awaitExit(), second::err);

    // The refusals first: they are there at once, not after a while.
    long refusedBefore = System.nanoTime();
    RpcException refused = assertThrows(RpcException.class, outlaw::register);
    assertEquals(RpcException.Reason.CERTIFICATE_REFUSED, refused.reason(), refused.getMessage());
    IOException resumed = assertRefusedInHandshake();
    long refusedAfter = System.nanoTime();

    for (SteadyTraffic traffic : all()) {
      traffic.awaitEnded(answered + BOUND.toNanos(), SOME);
    }
    long until = System.nanoTime() - Duration.ofSeconds(2).toNanos(); // those have all ended
    StringBuilder figures = new StringBuilder();
    line(figures, "stream closed", obedientAnswered, streamEnded);
    for (SteadyTraffic traffic : doomed) {
      long last = traffic.lastAnswer().orElseThrow();
      long since =
          traffic == doomed.get(0) || traffic == doomed.get(1) ? obedientAnswered : rebelAnswered;
      line(figures, traffic.figures(asked, until) + "; last answer", since, last);
      assertWithinBound(since, last, traffic);
      assertTrue(last > asked, () -> "it was silent before the revocation: " + explained(traffic));
    }
    long lastCall = calls.lastAnswer().orElseThrow();
    line(figures, calls.figures(asked, until) + "; last answer", rebelAnswered, lastCall);
    assertWithinBound(rebelAnswered, lastCall, calls);
    assertWithinBound(obedientAnswered, streamEnded, doomed.get(0));
    line(figures, "handshakes tried from", answered, refusedBefore);
    line(figures, "and refused, the resuming one too, until", answered, refusedAfter);
    figures.append("the open connection: ").append(calls.firstFailure()).append('\n');
    figures.append("the resuming handshake: ").append(resumed).append('\n');
    for (SteadyTraffic traffic : unconcerned) {
      figures.append(traffic.figures(startedAt, until)).append('\n');
      assertEquals(0, traffic.lost(startedAt, until), () -> explained(traffic));
    }
    reporter.publishEntry("revocation", figures.toString());
    assertEquals(2, mesh.asAdministrator(Administrator::status).getAgentCount());
    assertEquals(4, mesh.asAdministrator(Administrator::status).getAllocatedAddresses());
  }

  /** Not by the call, which is refused too, also where a handshake lets a former session in. */
  private IOException assertRefusedInHandshake() {
    IOException refused = assertThrows(IOException.class, outlaw::registerResuming);
    assertFalse(String.valueOf(refused.getMessage()).contains("HTTP/"), refused::toString);
    return refused;
  }

  /** When the command has told that it is done. */
  private static long answered(ChildProcess command) throws Exception {
    command.await(0, line -> line.contains(" is revoked. Ended:"), "the answer");
    return System.nanoTime();
  }

  private static void assertWithinBound(long since, long event, SteadyTraffic traffic) {
    assertTrue(
        event - since <= BOUND.toNanos(),
        () -> "%.3f s after the answer: %s".formatted((event - since) / 1e9, explained(traffic)));
  }

  private static void line(StringBuilder figures, String what, long since, long event) {
    figures.append(
        String.format(Locale.ROOT, "%s %.3f s after the answer%n", what, (event - since) / 1e9));
  }

  /** Nothing is left of what it had: no session of WireGuard, no certificate, no second key. */
  @Test
  @Order(3)
  void aColonyThatWasKilledAndStartedAgainStillRefusesIt(TestReporter reporter) throws Exception {
    int mark0 = others.get(0).process().mark();
    int mark1 = others.get(1).process().mark();
    int markObedient = obedient.process().mark();
    mesh.colony().kill();
    mesh.colony().awaitExit();
    mesh.startColony();
    long ready = System.nanoTime();
    others.get(0).awaitJoined(mark0);
    others.get(1).awaitJoined(mark1);
    for (SteadyTraffic traffic : unconcerned) {
      traffic.awaitAnswered(ready, SOME);
    }
    outlaw.handshake();
    RpcException refused = assertThrows(RpcException.class, outlaw::register);
    assertEquals(RpcException.Reason.CERTIFICATE_REFUSED, refused.reason(), refused.getMessage());
    assertRefusedInHandshake();
    long refusedAgain = System.nanoTime();
    for (SteadyTraffic traffic : doomed) {
      traffic.awaitEnded(refusedAgain, SOME);
      int tries = traffic.count(ready, Long.MAX_VALUE);
      assertEquals(tries, traffic.lost(ready, Long.MAX_VALUE), () -> explained(traffic));
    }
    assertFalse(obedient.hasJoined(markObedient));
    reporter.publishEntry(
        "after the restart",
        unconcerned.get(0).figures(ready, Long.MAX_VALUE)
            + "\n"
            + doomed.get(2).figures(ready, Long.MAX_VALUE));
  }

  @Test
  @Order(4)
  void itCannotComeBackWithWhatItHasNorWithTheSecret() throws Exception {
    obedient.process().kill();
    obedient.process().awaitExit();
    Agent again = mesh.startAgentAgain(OBEDIENT, obedient.host());
    assertEquals(1, again.process().awaitExit(), again.process()::log);
    assertFalse(again.hasJoined(0));
    Agent paying = mesh.startAgent(OBEDIENT, obedient.host(), Payment.TOKEN);
    paying.awaitFailure(0, "IDENTITY_SUSPENDED");
    assertEquals(1, paying.process().awaitExit(), paying.process()::log);
    assertFalse(paying.hasJoined(0));
    assertEquals(2, mesh.asAdministrator(Administrator::status).getAgentCount());
  }

  @Test
  @Order(5)
  void nothingIsLeft() throws Exception {
    endEverything();
    for (ChildProcess process : mesh.processes()) {
      assertFalse(process.isAlive(), process::name);
    }
    assertEquals(hostBefore, NetworkState.now());
  }

  private List<SteadyTraffic> all() {
    List<SteadyTraffic> all = new ArrayList<>(unconcerned);
    all.addAll(doomed);
    all.add(calls);
    return all;
  }

  private static String explained(SteadyTraffic traffic) {
    return traffic + "; first failure: " + traffic.firstFailure();
  }
}
