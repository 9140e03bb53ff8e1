package coral.audit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.model.AuditEvent;
import coral.model.AuditEvent.Kind;
import coral.model.AuditSink;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;
import org.junit.jupiter.api.Test;

class RepeatedEventsTest {
  private final List<AuditEvent> log = new ArrayList<>();
  private Instant now = Instant.parse("2026-01-02T03:04:05Z");
  private final RepeatedEvents events =
      new RepeatedEvents(
          new AuditSink() {
            @Override
            public void record(AuditEvent event) {
              log.add(event);
            }

            @Override
            public CompletionStage<Done> recorded(AuditEvent event) {
              record(event);
              return AuditSink.none().recorded(event);
            }
          },
          EnumSet.of(Kind.ROLE_USED),
          () -> now);

  private static AuditEvent used(String what) {
    return AuditEvent.of(Kind.ROLE_USED).by("operator/o").from("192.0.2.1").detail(what);
  }

  private List<String> details() {
    return log.stream().map(AuditEvent::detail).toList();
  }

  private void pass(Duration time) {
    now = now.plus(time);
    events.sweep();
  }

  @Test
  void theFirstIsRecordedAtOnceAndTheOthersOfAMinuteAsTheirNumber() {
    for (int i = 0; i < 5; i++) {
      events.record(used("reads").request("request-" + i));
    }
    assertEquals(List.of(used("reads").request("request-0")), log);
    pass(RepeatedEvents.WINDOW.minusNanos(1));
    assertEquals(List.of("reads"), details());
    pass(Duration.ofNanos(1));
    assertEquals(List.of("reads", "4 times more: reads"), details());
    assertEquals("", log.get(1).requestId());
    pass(RepeatedEvents.WINDOW);
    assertEquals(2, log.size(), "nothing came");
    events.record(used("reads"));
    assertEquals(List.of("reads", "4 times more: reads", "reads"), details(), "a first one again");
  }

  @Test
  void whoGoesOnCostsOneRecordAMinute() {
    for (int second = 0; second < 600; second++) {
      events.record(used("reads"));
      now = now.plusSeconds(1);
    }
    events.end();
    assertEquals(11, log.size(), () -> details().toString());
    long told =
        log.stream()
            .mapToLong(
                event ->
                    event.detail().equals("reads")
                        ? 1
                        : Long.parseLong(event.detail().split(" ", 2)[0]))
            .sum();
    assertEquals(600, told, "each is told of");
  }

  @Test
  void whatIsDifferentOrOfAnotherKindIsNotARepeat() {
    events.record(used("reads"));
    events.record(used("writes"));
    events.record(used("reads").from("192.0.2.2"));
    events.record(used("reads").by("operator/p"));
    AuditEvent other = AuditEvent.of(Kind.TOKEN_SPENT).detail("reads");
    events.record(other);
    events.record(other);
    events.recorded(used("reads"));
    assertEquals(7, log.size(), () -> details().toString());
  }

  @Test
  void theEndTellsWhatIsNotToldYet() {
    events.record(used("reads"));
    events.record(used("reads"));
    events.end();
    assertEquals(List.of("reads", "1 time more: reads"), details());
  }

  @Test
  void aClockThatIsSetBackHoldsNothingUp() {
    events.record(used("reads"));
    events.record(used("reads"));
    pass(Duration.ofDays(-1));
    assertEquals(List.of("reads", "1 time more: reads"), details());
  }

  @Test
  void fromHoweverManyAddressesNoMoreIsRemembered() {
    for (int i = 0; i < 3 * RepeatedEvents.MAX_REMEMBERED; i++) {
      events.record(used("reads").from("2001:db8::" + Integer.toHexString(i)));
      assertTrue(events.remembered() <= RepeatedEvents.MAX_REMEMBERED + 1);
    }
    assertEquals(3 * RepeatedEvents.MAX_REMEMBERED, log.size());
  }
}
