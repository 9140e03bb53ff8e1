package coral.wireguard.embedded;

import coral.wireguard.DeviceEvent;
import coral.wireguard.WireGuardDevice;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** The events of one device, in order, to be waited for. */
final class DeviceEvents implements Consumer<DeviceEvent> {
  private static final long DEADLINE_SECONDS = 20;

  private final BlockingQueue<DeviceEvent> events = new LinkedBlockingQueue<>();

  static DeviceEvents of(WireGuardDevice device) {
    DeviceEvents events = new DeviceEvents();
    device.onEvent(events);
    return events;
  }

  @Override
  public void accept(DeviceEvent event) {
    events.add(event);
  }

  /** The next event of this kind; those before it are taken too. */
  <E extends DeviceEvent> E await(Class<E> kind) throws InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(DEADLINE_SECONDS);
    while (true) {
      DeviceEvent event = events.poll(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
      if (event == null) {
        throw new AssertionError("no " + kind.getSimpleName() + " within the deadline");
      }
      if (kind.isInstance(event)) {
        return kind.cast(event);
      }
    }
  }

  /** Forgets what came so far. */
  void clear() {
    events.clear();
  }
}
