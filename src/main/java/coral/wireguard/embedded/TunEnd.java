package coral.wireguard.embedded;

import coral.linux.IcmpEcho;
import coral.linux.Netlink;
import coral.linux.TunDevice;
import coral.model.MeshAddresses;
import coral.model.MeshSubnet;
import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.StandardProtocolFamily;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** A tunnel that ends at a TUN device, hence in the kernel. */
final class TunEnd implements PacketEnd {
  private static final Duration SOCKET_DEADLINE = Duration.ofSeconds(5);

  private static final Duration USABLE_ATTEMPT = Duration.ofMillis(10);
  private static final int USABLE_ATTEMPTS = 500;

  private final TunDevice tun;
  private final int mtu;
  private final Transmitter transmitter;
  private final ControlLoop control;
  private final Drops drops;
  private final Workspace workspace;
  private final ByteBuffer inbound = ByteBuffer.allocateDirect(Constants.MAX_DATAGRAM);

  /**
   * @param workspace of the thread that calls {@link #run}
   */
  TunEnd(
      TunDevice tun,
      int mtu,
      Transmitter transmitter,
      ControlLoop control,
      Drops drops,
      Workspace workspace) {
    this.tun = tun;
    this.mtu = mtu;
    this.transmitter = transmitter;
    this.control = control;
    this.drops = drops;
    this.workspace = workspace;
  }

  @Override
  public void assign(MeshAddresses own, MeshSubnet subnet) throws IOException {
    // Whole-address prefixes: the subnets are routed by routes of their own, whatever their length.
    Set<Netlink.Address> wanted =
        Set.of(new Netlink.Address(own.ipv4(), 32), new Netlink.Address(own.ipv6(), 128));
    List<Netlink.Address> present = tun.addresses();
    for (Netlink.Address address : present) {
      if (!wanted.contains(address)) {
        tun.removeAddress(address.address(), address.prefixLength());
      }
    }
    tun.putAddress(own.ipv4(), 32);
    tun.putAddress(own.ipv6(), 128);
    tun.up();
    tun.putRoute(subnet.ipv4());
    tun.putRoute(subnet.ipv6());
    awaitUsable(own.ipv6());
  }

  /**
   * The kernel adds the local route of an IPv6 address from a work queue, milliseconds after it has
   * accepted the address; packets to it are lost until then.
   */
  private void awaitUsable(InetAddress own) throws IOException {
    for (int attempt = 0; attempt < USABLE_ATTEMPTS; attempt++) {
      try {
        if (echo(own, USABLE_ATTEMPT).isPresent()) {
          return;
        }
      } catch (IOException e) { // without the right to any ICMP socket nothing can be awaited
        return;
      }
    }
    throw new IOException(own.getHostAddress() + " on " + tun.name() + " does not become usable");
  }

  @Override
  public void deliver(byte[] packet, int length, Workspace unused) {
    try {
      inbound.clear();
      inbound.put(packet, 0, length).flip();
      tun.write(inbound);
    } catch (IOException e) { // such as: the link is down
      drops.count(Drops.Reason.DELIVERY_FAILED);
    }
  }

  /**
   * The socket is opened by the control thread, which lives in the network namespace of the device;
   * the caller may live in another.
   */
  @Override
  public Optional<Duration> echo(InetAddress target, Duration timeout) throws IOException {
    CompletableFuture<IcmpEcho> opening = new CompletableFuture<>();
    boolean accepted =
        control.offer(
            () -> {
              try {
                IcmpEcho socket =
                    IcmpEcho.open(
                        target instanceof Inet4Address
                            ? StandardProtocolFamily.INET
                            : StandardProtocolFamily.INET6);
                if (!opening.complete(socket)) {
                  socket.close();
                }
              } catch (IOException e) {
                opening.completeExceptionally(e);
              }
            });
    if (!accepted) {
      throw new IOException("the device " + tun.name() + " is closed or overloaded");
    }
    try (IcmpEcho socket = opening.get(SOCKET_DEADLINE.toMillis(), TimeUnit.MILLISECONDS)) {
      return socket.send(target, timeout);
    } catch (InterruptedException e) {
      opening.cancel(false);
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while sending an echo request", e);
    } catch (TimeoutException e) {
      opening.cancel(false);
      throw new IOException("the device " + tun.name() + " is overloaded or closing", e);
    } catch (ExecutionException | CompletionException e) {
      throw new IOException("cannot send an echo request: " + message(e), e);
    }
  }

  private static String message(Exception e) {
    return String.valueOf(e.getCause() == null ? e.getMessage() : e.getCause().getMessage());
  }

  @Override
  public void run() throws IOException {
    ByteBuffer outbound = ByteBuffer.allocateDirect(Constants.MAX_DATAGRAM);
    byte[] packet = new byte[Constants.MAX_DATAGRAM];
    while (true) {
      outbound.clear();
      int length = tun.read(outbound);
      if (length < 0) {
        return;
      }
      outbound.flip();
      outbound.get(packet, 0, length);
      transmitter.route(packet, 0, Math.min(length, mtu), workspace);
    }
  }

  @Override
  public void close() {
    tun.close();
  }
}
