package coral.agent.observation;

import coral.linux.TrackedFlow;
import coral.model.IpPrefix;
import java.net.InetAddress;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.StringTokenizer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** {@code /proc/net/nf_conntrack}: an entry per line, as nf_conntrack_standalone.c writes it. */
final class ConnectionTrackingFile {
  /** Four keys each for both ways, packets and bytes among them. */
  private static final int MAX_FIELDS = 48;

  private static final class Way {
    @Nullable String source;
    @Nullable String destination;
    int destinationPort;
    int sourcePort;
    long bytes;

    /** Takes a field if it is one of a way's; a value that makes no sense is an error. */
    void field(String field) {
      int equals = field.indexOf('=');
      String value = field.substring(equals + 1);
      switch (equals < 0 ? "" : field.substring(0, equals)) {
        case "src" -> source = value;
        case "dst" -> destination = value;
        case "sport" -> sourcePort = port(value);
        case "dport" -> destinationPort = port(value);
        case "bytes" -> bytes = Long.parseUnsignedLong(value);
        default -> {
          // packets, marks, zones
        }
      }
    }

    TrackedFlow.Way complete() {
      if (sourcePort == 0 || destinationPort == 0) {
        throw new IllegalArgumentException("a port is missing");
      }
      return new TrackedFlow.Way(
          address(source), sourcePort, address(destination), destinationPort, bytes);
    }
  }

  private final List<String> ownTexts;
  private final Consumer<TrackedFlow> flows;

  /**
   * @param own whose lines count; there may be many of others
   */
  ConnectionTrackingFile(OwnAddresses own, Consumer<TrackedFlow> flows) {
    this.ownTexts =
        List.of("=" + own.own().ipv4Text() + " ", "=" + uncompressed(own.own().ipv6()) + " ");
    this.flows = flows;
  }

  /** Takes the next line; one of no meaning, or without this host's address, is left out. */
  void line(String line) {
    if (ownTexts.stream().anyMatch(line::contains)) {
      parse(line).ifPresent(flows);
    }
  }

  private static Optional<TrackedFlow> parse(String line) {
    StringTokenizer fields = new StringTokenizer(line, " ");
    if (fields.countTokens() < 10 || fields.countTokens() > MAX_FIELDS) {
      return Optional.empty();
    }
    fields.nextToken(); // ipv4, ipv6
    fields.nextToken(); // its number
    fields.nextToken(); // tcp, udp
    boolean isAnswered = true;
    boolean isEstablished = false;
    Way original = new Way();
    Way reply = new Way();
    Way way = original;
    try {
      int protocol = Integer.parseInt(fields.nextToken());
      while (fields.hasMoreTokens()) {
        String field = fields.nextToken();
        isAnswered &= !field.equals("[UNREPLIED]");
        // What is offloaded has neither a timeout nor a state.
        isEstablished |= field.equals("ESTABLISHED") || field.endsWith("OFFLOAD]");
        if (field.startsWith("src=") && original.source != null) {
          way = reply;
        }
        way.field(field);
      }
      return Optional.of(
          new TrackedFlow(
              protocol,
              isAnswered,
              isEstablished && protocol == TrackedFlow.TCP,
              original.complete(),
              reply.complete()));
    } catch (IllegalArgumentException e) {
      return Optional.empty(); // numbers and addresses that are none, protocols without ports
    }
  }

  private static int port(String text) {
    int port = Integer.parseInt(text);
    if (port < 1 || port > 65_535) {
      throw new NumberFormatException(text);
    }
    return port;
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
