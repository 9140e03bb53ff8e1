package coral.colony;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.model.IpPrefix;
import java.net.InetAddress;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class BootstrapLimitTest {
  private static final InetAddress A = IpPrefix.parseAddress("192.0.2.1");
  private Instant now = Instant.parse("2026-01-01T00:00:00Z");
  private final BootstrapLimit limit = new BootstrapLimit(() -> now);

  private void fail(InetAddress address, int times) {
    for (int i = 0; i < times; i++) {
      assertTrue(limit.mayTry(address), "failure " + i);
      limit.failed(address);
    }
  }

  @Test
  void aBurstIsAllowedThenOneInEachInterval() {
    fail(A, BootstrapLimit.BURST);
    assertFalse(limit.mayTry(A));
    now = now.plus(BootstrapLimit.INTERVAL).minusMillis(1);
    assertFalse(limit.mayTry(A));
    now = now.plusMillis(1);
    fail(A, 1);
    assertFalse(limit.mayTry(A));
    assertTrue(limit.mayTry(IpPrefix.parseAddress("192.0.2.2")), "another address is not touched");
    now = now.plus(BootstrapLimit.INTERVAL.multipliedBy(BootstrapLimit.BURST));
    fail(A, BootstrapLimit.BURST);
    assertFalse(limit.mayTry(A));
  }

  @Test
  void aClockThatIsSetBackLocksNobodyOut() {
    fail(A, BootstrapLimit.BURST);
    now = now.minus(Duration.ofDays(30));
    assertFalse(limit.mayTry(A));
    now = now.plus(BootstrapLimit.INTERVAL);
    assertTrue(limit.mayTry(A));
  }

  @Test
  void theAddressesOfOneIpv6NetworkAreOne() {
    fail(IpPrefix.parseAddress("2001:db8:0:1::1"), BootstrapLimit.BURST);
    assertFalse(limit.mayTry(IpPrefix.parseAddress("2001:db8:0:1:ffff::2")));
    assertTrue(limit.mayTry(IpPrefix.parseAddress("2001:db8:0:2::1")));
  }

  @Test
  void whoeverHasManyAddressesMakesItForgetTheOldestAndGrowNoFurther() {
    fail(A, BootstrapLimit.BURST);
    for (int i = 0; i < BootstrapLimit.MAX_ADDRESSES; i++) {
      limit.failed(
          IpPrefix.parseAddress("10." + (i >> 16) + "." + (i >> 8 & 255) + "." + (i & 255)));
    }
    assertEquals(BootstrapLimit.MAX_ADDRESSES, limit.size());
    assertTrue(limit.mayTry(A));
  }
}
