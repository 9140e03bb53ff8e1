package coral.proxy;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;

/** What {@link ProxyStatistics} tells of requests. Written on the event loop, read by anybody. */
final class ProxyCounters {
  final LongAdder requests = new LongAdder();
  final LongAdder refused = new LongAdder();
  final LongAdder failed = new LongAdder();
  final LongAdder received = new LongAdder();
  final LongAdder sent = new LongAdder();
  final AtomicInteger open = new AtomicInteger();
  final AtomicInteger connections = new AtomicInteger();
}
