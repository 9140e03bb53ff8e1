package coral.session;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.typesafe.config.ConfigFactory;
import coral.model.AgentId;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.ManualTime;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

class ConnectionDirectoryTest {
  private static final AgentId A = new AgentId("a");
  private static final AgentId B = new AgentId("b");
  private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");
  private static final Duration INTERVAL = Duration.ofSeconds(15);
  private static final ActorTestKit kit =
      ActorTestKit.create(ManualTime.config().withFallback(ConfigFactory.load()));

  private volatile Instant now = START;
  private final ActorRef<ConnectionDirectory.Command> directory =
      kit.spawn(ConnectionDirectory.create(INTERVAL, () -> now));

  @AfterAll
  static void stop() {
    kit.shutdownTestKit();
  }

  private static ConnectionReport report(int connections) {
    return new ConnectionReport(
        Evidence.TCP_TABLE,
        IntStream.rangeClosed(1, connections)
            .mapToObj(port -> new ReportedConnection(3, Transport.TCP, port, true, 1, 0, 0))
            .toList());
  }

  private List<ConnectionDirectory.AgentReport> reports() {
    TestProbe<ConnectionDirectory.Reports> probe = kit.createTestProbe();
    directory.tell(new ConnectionDirectory.ListReports(probe.ref()));
    return probe.receiveMessage().reports();
  }

  private int connections() {
    return reports().stream().mapToInt(report -> report.report().connections().size()).sum();
  }

  @Test
  void aReportReplacesTheOneBeforeAndIsGoneWithTheSession() {
    directory.tell(new ConnectionDirectory.Reported(A, report(2)));
    directory.tell(new ConnectionDirectory.Reported(A, report(1)));
    assertEquals(List.of(new ConnectionDirectory.AgentReport(A, report(1), START)), reports());
    directory.tell(new ConnectionDirectory.Reported(B, report(5)));
    directory.tell(new ConnectionDirectory.Forget(A));
    assertEquals(List.of(new ConnectionDirectory.AgentReport(B, report(5), START)), reports());
    directory.tell(new ConnectionDirectory.Reported(B, report(0)));
    assertEquals(List.of(), reports());
  }

  @Test
  void aReportThatIsNotRepeatedForTwelveIntervalsIsStale() {
    directory.tell(new ConnectionDirectory.Reported(A, report(1)));
    assertEquals(1, connections());
    now = START.plus(INTERVAL.multipliedBy(12));
    directory.tell(new ConnectionDirectory.Reported(B, report(1)));
    assertEquals(2, connections());
    now = now.plusMillis(1);
    assertEquals(List.of(B), reports().stream().map(report -> report.agentId()).toList());
  }

  @Test
  void anAgentMayReport256ConnectionsAndAllTogether20000() {
    directory.tell(new ConnectionDirectory.Reported(A, report(300)));
    assertEquals(256, connections());
    for (int i = 0; i < 80; i++) {
      directory.tell(new ConnectionDirectory.Reported(new AgentId("agent-" + i), report(256)));
    }
    assertEquals(ConnectionDirectory.MAX_CONNECTIONS, connections());
    // What ends makes room again.
    directory.tell(new ConnectionDirectory.Forget(A));
    directory.tell(new ConnectionDirectory.Reported(B, report(300)));
    assertEquals(ConnectionDirectory.MAX_CONNECTIONS, connections());
    directory.tell(new ConnectionDirectory.Forget(B));
    assertEquals(ConnectionDirectory.MAX_CONNECTIONS - 256, connections());
  }

  @Test
  void staleReportsMakeRoomForNewOnes() {
    for (int i = 0; i < 80; i++) {
      directory.tell(new ConnectionDirectory.Reported(new AgentId("agent-" + i), report(256)));
    }
    assertEquals(ConnectionDirectory.MAX_CONNECTIONS, connections());
    now = now.plus(INTERVAL.multipliedBy(13));
    directory.tell(new ConnectionDirectory.Reported(A, report(7)));
    assertEquals(7, connections());
  }
}
