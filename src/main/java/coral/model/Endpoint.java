package coral.model;

/**
 * Where a socket can be reached: a name or an address, and a port. Written {@code host:port}, with
 * brackets around an IPv6 address (RFC 3986, section 3.2.2).
 *
 * @param host without brackets
 * @param port 1 to 65535
 */
public record Endpoint(String host, int port) {
  private static final int MAX_LENGTH = 255;

  /**
   * @throws IllegalArgumentException if the host is empty, longer than 255 characters or holds
   *     characters that no host has, or the port is out of bounds
   */
  public Endpoint {
    if (host.isEmpty() || host.length() > MAX_LENGTH || !host.matches("[A-Za-z0-9._:%-]+")) {
      throw new IllegalArgumentException("not a host: '" + host + "'");
    }
    if (port < 1 || port > 65535) {
      throw new IllegalArgumentException("a port is 1 to 65535, not " + port);
    }
  }

  /**
   * Reads an endpoint.
   *
   * @param text {@code host:port} or {@code [ipv6]:port}
   * @throws IllegalArgumentException for anything else
   */
  public static Endpoint parse(String text) {
    int colon = text.lastIndexOf(':');
    if (colon <= 0) {
      throw new IllegalArgumentException("not host:port: '" + text + "'");
    }
    String host = text.substring(0, colon);
    if (host.startsWith("[") && host.endsWith("]")) {
      host = host.substring(1, host.length() - 1);
    } else if (host.indexOf(':') >= 0) {
      throw new IllegalArgumentException("an IPv6 address needs brackets: '" + text + "'");
    }
    try {
      return new Endpoint(host, Integer.parseInt(text.substring(colon + 1)));
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("not host:port: '" + text + "'", e);
    }
  }

  @Override
  public String toString() {
    return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
  }
}
