package coral.wireguard.embedded;

import coral.model.MeshAddresses;
import coral.model.MeshSubnet;
import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** A tunnel that ends in this process: it answers and sends echo requests and drops all else. */
final class UserSpaceEnd implements PacketEnd {
  private static final int MAX_WAITING = 1024;

  private final Transmitter transmitter;
  private final ControlLoop control;
  private final Workspace workspace;
  private final int identifier = new SecureRandom().nextInt(1 << 16);
  private final AtomicInteger sequence = new AtomicInteger();
  private final Map<Integer, Waiting> waiting = new ConcurrentHashMap<>();
  private volatile @Nullable MeshAddresses own;

  /** An echo request without an answer yet; the answer is the time of its arrival. */
  private record Waiting(InetAddress target, CompletableFuture<Long> answered) {}

  /**
   * @param workspace of the control thread
   */
  UserSpaceEnd(Transmitter transmitter, ControlLoop control, Workspace workspace) {
    this.transmitter = transmitter;
    this.control = control;
    this.workspace = workspace;
  }

  @Override
  public void assign(MeshAddresses addresses, MeshSubnet subnet) {
    own = addresses;
  }

  @Override
  public void deliver(byte[] packet, int length, Workspace socketThread) {
    switch (EchoMessage.kind(packet, length)) {
      case REQUEST -> {
        EchoMessage.turnIntoReply(packet, length);
        transmitter.route(packet, 0, length, socketThread);
      }
      case REPLY -> {
        Waiting request = waiting.get(EchoMessage.label(packet));
        if (request != null && isAt(packet, IpPacket.sourceOffset(packet, 0), request.target())) {
          request.answered().complete(System.nanoTime());
        }
      }
      case OTHER -> {}
    }
  }

  private static boolean isAt(byte[] packet, int offset, InetAddress address) {
    byte[] bytes = address.getAddress();
    return Arrays.equals(packet, offset, offset + bytes.length, bytes, 0, bytes.length);
  }

  @Override
  public Optional<Duration> echo(InetAddress target, Duration timeout) throws IOException {
    MeshAddresses addresses = own;
    if (addresses == null) {
      throw new IOException("the device has no address yet");
    }
    if (waiting.size() >= MAX_WAITING) {
      throw new IOException("more than " + MAX_WAITING + " echo requests wait for their answers");
    }
    InetAddress source = target instanceof Inet4Address ? addresses.ipv4() : addresses.ipv6();
    if (source.equals(target)) {
      return Optional.of(Duration.ZERO);
    }
    int number = sequence.incrementAndGet() & 0xffff;
    byte[] request = EchoMessage.request(source, target, identifier, number);
    int label = identifier << 16 | number;
    CompletableFuture<Long> answered = new CompletableFuture<>();
    waiting.put(label, new Waiting(target, answered));
    try {
      long start = System.nanoTime();
      if (!control.offer(() -> transmitter.route(request, 0, request.length, workspace))) {
        throw new IOException("the device is closed or overloaded");
      }
      return Optional.of(
          Duration.ofNanos(answered.get(timeout.toNanos(), TimeUnit.NANOSECONDS) - start));
    } catch (TimeoutException e) {
      return Optional.empty();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted while waiting for an echo reply", e);
    } catch (ExecutionException e) {
      throw new IOException("the device was closed while waiting for an echo reply", e);
    } finally {
      waiting.remove(label);
    }
  }

  @Override
  public void run() {}

  @Override
  public void close() {
    for (Waiting request : waiting.values()) {
      request.answered().completeExceptionally(new IOException("closed"));
    }
  }
}
