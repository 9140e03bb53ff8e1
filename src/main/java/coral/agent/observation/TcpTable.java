package coral.agent.observation;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.StringTokenizer;

/**
 * The kernel's tables of TCP sockets, {@code /proc/net/tcp} and {@code tcp6} (Linux,
 * Documentation/networking/proc_net_tcp): which of them are connections with other members. Who has
 * opened one it does not say: whoever does not listen on its port.
 */
final class TcpTable {
  static final String EVIDENCE = "tcp-table";

  /** include/net/tcp_states.h */
  private static final String ESTABLISHED = "01";

  private static final String LISTEN = "0A";

  /** An address as 32-bit words in the order of the host, in hexadecimal digits; a port. */
  private record Socket(InetAddress address, int port) {}

  private final OwnAddresses own;
  private final ByteOrder order;
  private final Set<Integer> listening = new HashSet<>();
  private final Set<SocketPair> established = new LinkedHashSet<>();

  /**
   * @param order of this host
   */
  TcpTable(OwnAddresses own, ByteOrder order) {
    this.own = own;
    this.order = order;
  }

  /** Takes the next line of a table; one of no meaning, such as the headings, is left out. */
  void line(String line) {
    StringTokenizer fields = new StringTokenizer(line, " ");
    if (fields.countTokens() < 4) {
      return;
    }
    fields.nextToken(); // its number
    String local = fields.nextToken();
    String remote = fields.nextToken();
    String state = fields.nextToken();
    if (state.equals(LISTEN)) {
      socket(local)
          .filter(socket -> socket.address().isAnyLocalAddress() || own.isOwn(socket.address()))
          .ifPresent(socket -> listening.add(socket.port()));
    } else if (state.equals(ESTABLISHED)) {
      socket(local)
          .filter(socket -> own.isOwn(socket.address()))
          .ifPresent(
              here ->
                  socket(remote)
                      .filter(there -> own.isOther(there.address()))
                      .ifPresent(
                          there ->
                              established.add(
                                  new SocketPair(there.address(), there.port(), here.port()))));
    }
  }

  /** Whether a socket waits for connections on this port of this host in the mesh. */
  boolean listensOn(int port) {
    return listening.contains(port);
  }

  /** Takes an established connection out, and says whether it was there. */
  boolean remove(SocketPair pair) {
    return established.remove(pair);
  }

  /** The connections, one by one. To be called when all lines of both tables are there. */
  List<ObservedConnection> connections() {
    return established.stream()
        .map(
            pair -> {
              boolean outgoing = !listening.contains(pair.localPort());
              return new ObservedConnection(
                  pair.remote(),
                  outgoing ? pair.remotePort() : pair.localPort(),
                  outgoing,
                  "tcp",
                  1,
                  0,
                  0);
            })
        .toList();
  }

  private Optional<Socket> socket(String text) {
    int colon = text.indexOf(':');
    if ((colon != 8 && colon != 32) || text.length() != colon + 5) {
      return Optional.empty();
    }
    try {
      ByteBuffer words = ByteBuffer.allocate(colon / 2).order(order);
      for (int at = 0; at < colon; at += 8) {
        words.putInt(HexFormat.fromHexDigits(text, at, at + 8));
      }
      // An IPv4 address that is mapped into IPv6 (RFC 4291, section 2.5.5.2) comes out as IPv4.
      return Optional.of(
          new Socket(
              InetAddress.getByAddress(words.array()),
              HexFormat.fromHexDigits(text, colon + 1, text.length())));
    } catch (IllegalArgumentException | UnknownHostException e) {
      return Optional.empty();
    }
  }
}
