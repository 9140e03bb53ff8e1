package coral.agent.observation;

import coral.model.IpPrefix;
import java.net.InetAddress;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.StringTokenizer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The kernel's connection tracking, {@code /proc/net/nf_conntrack}: who has opened what, also on
 * behalf of containers behind this host's address, and bytes where {@code nf_conntrack_acct} is on.
 * Each line has a connection twice, as its opener's packets are addressed and as the answers are;
 * they differ where addresses are translated.
 */
final class ConnectionTracking {
  static final String EVIDENCE = "conntrack";

  /** Four keys each for both ways, packets and bytes among them. */
  private static final int MAX_FIELDS = 48;

  /** One way of a connection. */
  private static final class Way {
    @Nullable String source;
    @Nullable String destination;
    int destinationPort;
    int sourcePort;
    long bytes;
  }

  private final OwnAddresses own;
  private final List<String> ownTexts;
  private final Consumer<TrackedConnection> connections;

  /**
   * @param connections takes each as it is read; how many there are has no bound
   */
  ConnectionTracking(OwnAddresses own, Consumer<TrackedConnection> connections) {
    this.own = own;
    this.connections = connections;
    this.ownTexts =
        List.of("=" + own.own().ipv4Text() + " ", "=" + uncompressed(own.own().ipv6()) + " ");
  }

  /** Takes the next line; one that is not of an open connection of this host is left out. */
  void line(String line) {
    if (ownTexts.stream().anyMatch(line::contains)) {
      parse(line).ifPresent(connections);
    }
  }

  private Optional<TrackedConnection> parse(String line) {
    StringTokenizer fields = new StringTokenizer(line, " ");
    if (fields.countTokens() < 10 || fields.countTokens() > MAX_FIELDS) {
      return Optional.empty();
    }
    fields.nextToken(); // ipv4, ipv6
    fields.nextToken(); // its number
    String protocol = fields.nextToken();
    boolean open = protocol.equals("udp");
    Way original = new Way();
    Way reply = new Way();
    Way way = original;
    while (fields.hasMoreTokens()) {
      String field = fields.nextToken();
      if (field.equals("[UNREPLIED]")) {
        return Optional.empty(); // nobody has answered: no connection
      }
      if (field.equals("ESTABLISHED") || field.endsWith("OFFLOAD]")) {
        open |= protocol.equals("tcp");
      }
      if (field.startsWith("src=") && original.source != null) {
        way = reply;
      }
      if (!read(way, field)) {
        return Optional.empty();
      }
    }
    boolean hasPorts = original.destinationPort > 0 && reply.sourcePort > 0;
    return open && hasPorts ? connection(protocol, original, reply) : Optional.empty();
  }

  private static boolean read(Way way, String field) {
    int equals = field.indexOf('=');
    String value = field.substring(equals + 1);
    try {
      switch (equals < 0 ? "" : field.substring(0, equals)) {
        case "src" -> way.source = value;
        case "dst" -> way.destination = value;
        case "sport" -> way.sourcePort = port(value);
        case "dport" -> way.destinationPort = port(value);
        case "bytes" -> way.bytes = Long.parseUnsignedLong(value);
        default -> {
          // packets, marks, zones
        }
      }
      return true;
    } catch (NumberFormatException e) {
      return false;
    }
  }

  private static int port(String text) {
    int port = Integer.parseInt(text);
    if (port < 1 || port > 65_535) {
      throw new NumberFormatException(text);
    }
    return port;
  }

  private Optional<TrackedConnection> connection(String protocol, Way original, Way reply) {
    try {
      InetAddress opener = address(original.source);
      InetAddress asked = address(original.destination);
      InetAddress answering = address(reply.source);
      InetAddress answered = address(reply.destination);
      if ((own.isOwn(opener) || own.isOwn(answered)) && own.isOther(answering)) {
        return Optional.of(
            new TrackedConnection(
                new ObservedConnection(
                    answering, reply.sourcePort, true, protocol, 1, original.bytes, reply.bytes),
                socket(protocol, opener, original.sourcePort, asked, original.destinationPort)));
      }
      if (own.isOwn(asked) && own.isOther(opener)) {
        return Optional.of(
            new TrackedConnection(
                new ObservedConnection(
                    opener,
                    original.destinationPort,
                    false,
                    protocol,
                    1,
                    reply.bytes,
                    original.bytes),
                socket(protocol, answering, reply.sourcePort, answered, reply.destinationPort)));
      }
      return Optional.empty();
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  /**
   * Translation lies between this host's sockets and the network: they know one way's addresses.
   */
  private Optional<SocketPair> socket(
      String protocol, InetAddress local, int localPort, InetAddress remote, int remotePort) {
    return protocol.equals("tcp") && own.isOwn(local) && own.isOther(remote)
        ? Optional.of(new SocketPair(remote, remotePort, localPort))
        : Optional.empty();
  }

  private static InetAddress address(@Nullable String text) {
    if (text == null) {
      throw new IllegalArgumentException("an address is missing");
    }
    return IpPrefix.parseAddress(text);
  }

  /** As the kernel writes an IPv6 address here: eight groups of four digits. */
  private static String uncompressed(InetAddress address) {
    byte[] bytes = address.getAddress();
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < bytes.length; i += 2) {
      text.append(i == 0 ? "" : ":")
          .append(
              String.format(Locale.ROOT, "%04x", (bytes[i] & 0xff) << 8 | (bytes[i + 1] & 0xff)));
    }
    return text.toString();
  }
}
