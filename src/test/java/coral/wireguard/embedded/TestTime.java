package coral.wireguard.embedded;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/** Both times of devices, which stand still until a test moves them. */
final class TestTime implements InstantSource {
  private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");

  private final AtomicLong nanos = new AtomicLong();
  private final List<EmbeddedDevice> devices = new ArrayList<>();

  DeviceClock clock() {
    return new DeviceClock(this, nanos::get);
  }

  /** A device whose control thread learns of each move. */
  EmbeddedDevice follow(EmbeddedDevice device) {
    devices.add(device);
    return device;
  }

  void advance(Duration duration) {
    nanos.addAndGet(duration.toNanos());
    devices.forEach(EmbeddedDevice::clockMoved);
  }

  @Override
  public Instant instant() {
    return START.plusNanos(nanos.get());
  }
}
