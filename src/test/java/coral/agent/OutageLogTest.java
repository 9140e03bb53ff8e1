package coral.agent;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import coral.agent.JoinFailure.Kind;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class OutageLogTest {
  private static final JoinFailure UNREACHABLE =
      new JoinFailure(Kind.COLONY_UNREACHABLE, "nothing answers");

  private final AtomicLong now = new AtomicLong();
  private final ListAppender<ILoggingEvent> lines = new ListAppender<>();
  private final Logger logger = new LoggerContext().getLogger("agent");
  private final OutageLog log = new OutageLog(logger, now::get);

  @BeforeEach
  void listen() {
    lines.start();
    logger.setLevel(Level.INFO);
    logger.addAppender(lines);
  }

  @Test
  void anOutageOfAnHourLeavesALineAMinute() {
    for (int i = 0; i < 360; i++) {
      log.done(JoinStep.FIND_COLONY, Duration.ofMillis(3));
      log.failed(JoinStep.REACH_COLONY, UNREACHABLE, "next try in 10 s");
      now.addAndGet(Duration.ofSeconds(10).toNanos());
    }
    assertEquals(1 + 60, lines.list.size());
    assertEquals(
        List.of(
            "INFO find colony: 3.0 ms",
            "WARN reach colony: nothing answers (COLONY_UNREACHABLE); next try in 10 s",
            "WARN reach colony: still nothing answers (COLONY_UNREACHABLE), after 7 failures in"
                + " 60 s; next try in 10 s"),
        take().subList(0, 3));

    log.done(JoinStep.REACH_COLONY, Duration.ofMillis(4));
    log.recovered();
    assertEquals(
        List.of(
            "INFO reach colony: 4.0 ms", "INFO The colony is back after 3600 s and 360 failures"),
        take());
  }

  @Test
  void eachChangeOfTheCauseIsTold() {
    log.failed(JoinStep.REACH_COLONY, UNREACHABLE, "a");
    log.failed(JoinStep.REACH_COLONY, new JoinFailure(Kind.WRONG_PIN, "another"), "b");
    log.failed(JoinStep.REACH_COLONY, new JoinFailure(Kind.WRONG_PIN, "another"), "c");
    log.failed(JoinStep.REACH_COLONY, UNREACHABLE, "d");
    assertEquals(
        List.of(
            "WARN reach colony: nothing answers (COLONY_UNREACHABLE); a",
            "WARN reach colony: another (WRONG_PIN); b",
            "WARN reach colony: nothing answers (COLONY_UNREACHABLE); d"),
        take());
  }

  @Test
  void withoutAnOutageNothingComesBack() {
    log.done(JoinStep.FIND_COLONY, Duration.ofMillis(3));
    log.recovered();
    log.done(JoinStep.FIND_COLONY, Duration.ofMillis(5));
    assertEquals(List.of("INFO find colony: 3.0 ms", "INFO find colony: 5.0 ms"), take());
  }

  private List<String> take() {
    List<String> taken =
        lines.list.stream().map(e -> e.getLevel() + " " + e.getFormattedMessage()).toList();
    lines.list.clear();
    return taken;
  }
}
