package coral.wireguard.embedded;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A network between a client and a server, as a translator of addresses would be: it records what
 * the client sends and can change it, send it again, or come from another port from now on.
 *
 * <pre>
 *   client --> front | back --> server
 * </pre>
 */
final class UdpRelay implements AutoCloseable {
  private final InetSocketAddress server;
  private final DatagramSocket front;
  private volatile DatagramSocket back;
  private volatile @Nullable InetSocketAddress client;
  private volatile UnaryOperator<List<byte[]>> toServer = UnaryOperator.identity();
  private final List<byte[]> recorded = new CopyOnWriteArrayList<>();

  UdpRelay(InetSocketAddress server) throws SocketException {
    this.server = server;
    front = new DatagramSocket(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    back = new DatagramSocket(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    start("relay-front", this::forward);
    start("relay-back", () -> backward(back));
  }

  /** Where the client sends to. */
  InetSocketAddress endpoint() {
    return (InetSocketAddress) front.getLocalSocketAddress();
  }

  /** Where the server sees the client. */
  InetSocketAddress clientSeenFrom() {
    return (InetSocketAddress) back.getLocalSocketAddress();
  }

  /** Lets the client appear at another port. */
  void rebind() throws SocketException {
    DatagramSocket old = back;
    DatagramSocket fresh =
        new DatagramSocket(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    back = fresh;
    old.close();
    start("relay-back", () -> backward(fresh));
  }

  /** What to send to the server in place of each datagram of the client. */
  void replaceToServer(UnaryOperator<List<byte[]>> replacement) {
    toServer = replacement;
  }

  /** The client's datagrams of one type, in order. */
  List<byte[]> recorded(int type) {
    return recorded.stream().filter(datagram -> datagram[0] == type).toList();
  }

  void sendToServer(byte[] datagram) throws IOException {
    back.send(new DatagramPacket(datagram, datagram.length, server));
  }

  private void forward() throws IOException {
    DatagramPacket packet = new DatagramPacket(new byte[65535], 65535);
    while (true) {
      front.receive(packet);
      client = (InetSocketAddress) packet.getSocketAddress();
      byte[] datagram = Arrays.copyOf(packet.getData(), packet.getLength());
      recorded.add(datagram);
      for (byte[] replacement : toServer.apply(List.of(datagram))) {
        sendToServer(replacement);
      }
    }
  }

  private void backward(DatagramSocket from) throws IOException {
    DatagramPacket packet = new DatagramPacket(new byte[65535], 65535);
    while (true) {
      from.receive(packet);
      InetSocketAddress target = client;
      if (target != null) {
        front.send(new DatagramPacket(packet.getData(), packet.getLength(), target));
      }
    }
  }

  private interface Work {
    void run() throws IOException;
  }

  private static void start(String name, Work work) {
    Thread thread =
        new Thread(
            () -> {
              try {
                work.run();
              } catch (SocketException e) {
                // closed: this thread is done
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            },
            name);
    thread.setDaemon(true);
    thread.start();
  }

  @Override
  public void close() {
    front.close();
    back.close();
  }
}
