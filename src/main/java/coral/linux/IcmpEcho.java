package coral.linux;

import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.ProtocolFamily;
import java.net.StandardProtocolFamily;
import java.time.Duration;
import java.util.Optional;

/** ICMP echo. */
public final class IcmpEcho implements AutoCloseable {
  private IcmpEcho() {}

  public static Optional<Duration> ping(InetAddress target, Duration timeout) throws IOException {
    try (IcmpEcho echo =
        open(
            target instanceof Inet4Address
                ? StandardProtocolFamily.INET
                : StandardProtocolFamily.INET6)) {
      return echo.send(target, timeout);
    }
  }

  public static IcmpEcho open(ProtocolFamily family) throws IOException {
    return new IcmpEcho();
  }

  public Optional<Duration> send(InetAddress target, Duration timeout) throws IOException {
    throw new IOException("not yet");
  }

  @Override
  public void close() {}
}
