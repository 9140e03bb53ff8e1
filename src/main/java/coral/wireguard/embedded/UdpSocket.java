package coral.wireguard.embedded;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import org.jspecify.annotations.Nullable;

/**
 * The socket of a device, for both families where the host has both: an IPv4 peer appears by its
 * IPv4 address. It belongs to the network namespace of the thread that opened it. Only threads that
 * nobody interrupts may use it, for an interrupt would close it.
 */
final class UdpSocket implements AutoCloseable {
  private final DatagramChannel channel;
  private final int port;

  private UdpSocket(DatagramChannel channel, int port) {
    this.channel = channel;
    this.port = port;
  }

  /**
   * Binds all local addresses.
   *
   * @param port 0 for any
   * @throws IOException if the port is taken; the message names it
   */
  static UdpSocket open(int port) throws IOException {
    DatagramChannel channel = DatagramChannel.open();
    try {
      channel.setOption(StandardSocketOptions.SO_RCVBUF, Constants.SOCKET_BUFFER);
      channel.setOption(StandardSocketOptions.SO_SNDBUF, Constants.SOCKET_BUFFER);
      channel.bind(new InetSocketAddress(port));
      return new UdpSocket(channel, ((InetSocketAddress) channel.getLocalAddress()).getPort());
    } catch (IOException e) {
      channel.close();
      throw new IOException("cannot listen on UDP port " + port + ": " + e.getMessage(), e);
    }
  }

  int port() {
    return port;
  }

  /** Waits for a datagram and puts it into the buffer; returns where it came from. */
  @Nullable InetSocketAddress receive(ByteBuffer buffer) throws IOException {
    return (InetSocketAddress) channel.receive(buffer);
  }

  void send(ByteBuffer datagram, InetSocketAddress target) throws IOException {
    channel.send(datagram, target);
  }

  boolean isOpen() {
    return channel.isOpen();
  }

  /** Wakes a blocked receiver. */
  @Override
  public void close() throws IOException {
    channel.close();
  }
}
