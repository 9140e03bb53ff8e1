package coral.cli;

import coral.proxy.ProxyState;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * Where a proxy is to listen.
 *
 * @param port 0 for any free one
 */
record ListenAddress(InetAddress host, int port) {
  static final String DEFAULT = "127.0.0.1:8000";

  /** More than one user's proxies. */
  private static final int TRIED_PORTS = 100;

  /** {@code HOST:PORT}, or a port of 127.0.0.1 alone. */
  static final class Converter implements ITypeConverter<ListenAddress> {
    @Override
    public ListenAddress convert(String text) {
      int colon = text.lastIndexOf(':');
      String host = colon < 0 ? "127.0.0.1" : text.substring(0, colon);
      try {
        InetAddress address = InetAddress.getByName(host.replaceFirst("^\\[(.*)]$", "$1"));
        int port = Integer.parseInt(text.substring(colon + 1));
        return new ListenAddress(address, new InetSocketAddress(address, port).getPort());
      } catch (UnknownHostException | IllegalArgumentException e) {
        throw new TypeConversionException(
            "expected HOST:PORT, such as " + DEFAULT + ", not '" + text + "'");
      }
    }
  }

  /**
   * Fails if somebody listens there already; between this and the start another may.
   *
   * @param others the proxies that run
   */
  void requireFree(List<ProxyState> others) {
    try (ServerSocket probe = new ServerSocket(port, 1, host)) {
      probe.setReuseAddress(true);
    } catch (IOException e) {
      throw taken(others, String.valueOf(e.getMessage()), e);
    }
  }

  /**
   * Says who listens there, if it is a proxy, and which port is free.
   *
   * @param why it cannot be listened there, if it is no proxy
   */
  CommandFailedException taken(List<ProxyState> others, String why, Exception cause) {
    String holder =
        others.stream()
            .filter(other -> other.listen().port() == port)
            .map(other -> ": the proxy of " + other.colonyId() + " listens there")
            .findFirst()
            .orElse(": " + why);
    return new CommandFailedException(
        "cannot listen on " + this + holder,
        nextFree(others)
            .map(free -> "Free is --listen " + new ListenAddress(host, free) + ".")
            .orElse("Choose another address with --listen."),
        cause);
  }

  private Optional<Integer> nextFree(List<ProxyState> others) {
    for (int next = port + 1; next < port + TRIED_PORTS && next <= 65535; next++) {
      int candidate = next;
      if (others.stream().anyMatch(other -> other.listen().port() == candidate)) {
        continue;
      }
      try (ServerSocket probe = new ServerSocket(candidate, 1, host)) {
        return Optional.of(probe.getLocalPort());
      } catch (IOException e) {
        // taken as well
      }
    }
    return Optional.empty();
  }

  /** Without brackets that a host does not need, and with those that it does. */
  @Override
  public String toString() {
    String text = host.getHostAddress();
    return (text.indexOf(':') >= 0 ? "[" + text + "]" : text) + ":" + port;
  }
}
