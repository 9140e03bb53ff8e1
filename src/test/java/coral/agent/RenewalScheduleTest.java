package coral.agent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.time.Instant;
import java.util.Random;
import org.junit.jupiter.api.Test;

class RenewalScheduleTest {
  private static final Instant START = FakeColony.START;

  /** RFD 020 (mTLS draft): 30 days before the end of a certificate of 90 days. */
  @Test
  void aCertificateOf90DaysIsRenewed30DaysBeforeItsEnd() {
    assertWindow(Duration.ofDays(90), Duration.ofDays(30));
    assertWindow(Duration.ofDays(365), Duration.ofDays(30));
    assertEquals(Duration.ofHours(1), schedule(Duration.ofDays(90), 1).checkInterval());
  }

  @Test
  void aShorterOneIsRenewedAtTwoThirdsOfItsLife() {
    assertWindow(Duration.ofDays(30), Duration.ofDays(10));
    assertWindow(Duration.ofHours(24), Duration.ofHours(8));
    assertWindow(Duration.ofMinutes(10), Duration.ofSeconds(200));
  }

  /** Between the earliest moment and the end there are several checks, whatever the life. */
  @Test
  void itIsCheckedOftenEnough() {
    for (Duration life :
        new Duration[] {Duration.ofMinutes(10), Duration.ofHours(1), Duration.ofHours(24)}) {
      RenewalSchedule schedule = schedule(life, 1);
      Duration left = Duration.between(schedule.due(), START.plus(life));
      assertTrue(schedule.checkInterval().multipliedBy(8).compareTo(left) < 0, life.toString());
      assertTrue(schedule.checkInterval().compareTo(Duration.ofHours(1)) <= 0, life.toString());
    }
  }

  @Test
  void theSameCertificateIsAlwaysDueAtTheSameTimeAndOthersAtOthers() {
    assertEquals(schedule(Duration.ofDays(90), 42), schedule(Duration.ofDays(90), 42));
    assertNotEquals(
        schedule(Duration.ofDays(90), 42).due(), schedule(Duration.ofDays(90), 43).due());
  }

  /** Within a tenth of the window, and all over it. */
  private static void assertWindow(Duration life, Duration window) {
    long seed = System.nanoTime();
    Random serials = new Random(seed);
    double least = Double.MAX_VALUE;
    double most = 0;
    for (int i = 0; i < 1000; i++) {
      Instant due = schedule(life, serials.nextLong()).due();
      double part = (double) Duration.between(due, START.plus(life)).toMillis() / window.toMillis();
      least = Math.min(least, part);
      most = Math.max(most, part);
    }
    String found = least + " to " + most + ", seed " + seed;
    assertTrue(least >= 0.9 && least < 0.92, found);
    assertTrue(most <= 1.1 && most > 1.08, found);
  }

  private static RenewalSchedule schedule(Duration life, long serial) {
    return RenewalSchedule.of(START, START.plus(life), serial);
  }
}
