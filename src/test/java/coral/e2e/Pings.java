package coral.e2e;

import coral.linux.IcmpEcho;
import coral.testing.NetworkTopology;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.StandardProtocolFamily;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Twenty pings a second from a host to an address, each of which may take two seconds. */
final class Pings {
  static final Duration PERIOD = Duration.ofMillis(50);

  /** An answer that comes later counts as lost. */
  private static final Duration TIMEOUT = Duration.ofSeconds(2);

  private Pings() {}

  /** Starts them. */
  static SteadyTraffic start(String name, NetworkTopology topology, int host, InetAddress target)
      throws Exception {
    int sockets = Math.toIntExact(TIMEOUT.dividedBy(PERIOD));
    List<SteadyTraffic.Worker> workers = new ArrayList<>();
    for (int i = 0; i < sockets; i++) {
      workers.add(worker(topology, host, target));
    }
    return SteadyTraffic.start(name, PERIOD, workers);
  }

  private static SteadyTraffic.Worker worker(NetworkTopology topology, int host, InetAddress target)
      throws Exception {
    StandardProtocolFamily family =
        target instanceof Inet4Address ? StandardProtocolFamily.INET : StandardProtocolFamily.INET6;
    IcmpEcho socket = topology.on(host, () -> IcmpEcho.open(family)); // and there it stays
    return new SteadyTraffic.Worker() {
      @Override
      public boolean attempt() throws Exception {
        return socket.send(target, TIMEOUT.minus(PERIOD)).isPresent();
      }

      @Override
      public void close() throws Exception {
        socket.close();
      }
    };
  }
}
