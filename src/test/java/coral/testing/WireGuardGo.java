package coral.testing;

import coral.linux.Netlink;
import coral.linux.NetworkNamespace;
import coral.model.IpPrefix;
import coral.model.WireGuardKey;
import coral.wireguard.KeyPair;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The WireGuard authors' own user-space implementation ({@code wireguard-go}), run in a network
 * namespace and configured over its socket (<a
 * href="https://www.wireguard.com/xplatform/">Configuration Protocol</a>): what ours has to speak
 * with.
 */
public final class WireGuardGo implements AutoCloseable {
  private static final List<Path> PLACES =
      List.of(Path.of("/usr/bin/wireguard-go"), Path.of("/usr/local/bin/wireguard-go"));
  private static final Path SOCKETS = Path.of("/var/run/wireguard");
  private static final long START_TIMEOUT_SECONDS = 15;
  private static final int MAX_ANSWER = 1 << 20;

  /** Namespaces do not isolate the directory of sockets, so names differ within the machine. */
  private static final AtomicInteger NEXT = new AtomicInteger();

  private final NetworkNamespace namespace;
  private final String name;
  private final Process process;

  private WireGuardGo(NetworkNamespace namespace, String name, Process process) {
    this.namespace = namespace;
    this.name = name;
    this.process = process;
  }

  /** Skips the calling test, with the reason, where it cannot be run. */
  public static void assumeInstalled() {
    NetworkTopology.assumePossible();
    Requirements.WIREGUARD_GO.check(
        binary().isPresent(), "wireguard-go is not installed (apt-get install wireguard-go)");
  }

  private static Optional<Path> binary() {
    return PLACES.stream().filter(Files::isExecutable).findFirst();
  }

  /**
   * Starts it with a key and a port, link up, without address and peers.
   *
   * @param listenPort UDP port, 0 for any
   */
  public static WireGuardGo start(NetworkNamespace namespace, KeyPair keys, int listenPort)
      throws Exception {
    String name =
        "wg" + Long.toString(ProcessHandle.current().pid(), 36) + "n" + NEXT.getAndIncrement();
    String program = binary().orElseThrow().toString();
    ProcessBuilder builder =
        new ProcessBuilder(program, "-f", name)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(ProcessBuilder.Redirect.INHERIT);
    builder.environment().put("LOG_LEVEL", "error");
    WireGuardGo device = new WireGuardGo(namespace, name, namespace.call(builder::start));
    boolean started = false;
    try {
      device.awaitSocket();
      device.set(
          "private_key="
              + HexFormat.of().formatHex(keys.privateKeyBytes())
              + "\nlisten_port="
              + listenPort
              + "\nreplace_peers=true\n");
      device.configure(netlink -> netlink.setUp(netlink.indexOf(name), true));
      started = true;
      return device;
    } finally {
      if (!started) {
        device.close();
      }
    }
  }

  private void awaitSocket() throws IOException, InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(START_TIMEOUT_SECONDS);
    while (!Files.exists(socket())) {
      // Ends early if the program does; that it has not is what we wait for here.
      if (process.waitFor(10, TimeUnit.MILLISECONDS) || System.nanoTime() > deadline) {
        throw new IOException("wireguard-go did not open " + socket());
      }
    }
  }

  private Path socket() {
    return SOCKETS.resolve(name + ".sock");
  }

  public String interfaceName() {
    return name;
  }

  /** Puts an address on the interface, and routes the subnet to it. */
  public void assign(InetAddress address, IpPrefix subnet) throws Exception {
    configure(
        netlink -> {
          int index = netlink.indexOf(name);
          netlink.putAddress(index, address, address.getAddress().length * 8);
          netlink.putRoute(subnet, index);
        });
  }

  public void putPeer(
      WireGuardKey key, Optional<InetSocketAddress> endpoint, Collection<IpPrefix> allowedIps)
      throws IOException {
    StringBuilder request = new StringBuilder("public_key=").append(hex(key)).append('\n');
    endpoint.ifPresent(
        address -> {
          String host = address.getAddress().getHostAddress();
          String shown = host.indexOf(':') >= 0 ? "[" + host + "]" : host;
          request.append("endpoint=" + shown + ":" + address.getPort() + "\n");
        });
    request.append("replace_allowed_ips=true\n");
    for (IpPrefix prefix : allowedIps) {
      request.append("allowed_ip=" + prefix + "\n");
    }
    set(request.toString());
  }

  public void removePeer(WireGuardKey key) throws IOException {
    set("public_key=" + hex(key) + "\nremove=true\n");
  }

  /** A figure of one peer, such as {@code rx_bytes} or {@code last_handshake_time_sec}. */
  public Optional<Long> peerFigure(WireGuardKey key, String figure) throws IOException {
    boolean ofPeer = false;
    for (String line : ask("get=1\n").split("\n", -1)) {
      if (line.startsWith("public_key=")) {
        ofPeer = line.equals("public_key=" + hex(key));
      } else if (ofPeer && line.startsWith(figure + "=")) {
        return Optional.of(Long.parseLong(line.substring(figure.length() + 1)));
      }
    }
    return Optional.empty();
  }

  /** Sends settings, lines of {@code key=value}; a secret in them appears in no message. */
  public void set(String settings) throws IOException {
    String answer = ask("set=1\n" + settings);
    if (!answer.startsWith("errno=0\n")) {
      throw new IOException("wireguard-go refused its settings: " + answer.strip());
    }
  }

  private String ask(String request) throws IOException {
    try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      channel.connect(UnixDomainSocketAddress.of(socket()));
      ByteBuffer out = ByteBuffer.wrap((request + "\n").getBytes(StandardCharsets.US_ASCII));
      while (out.hasRemaining()) {
        channel.write(out);
      }
      ByteBuffer in = ByteBuffer.allocate(MAX_ANSWER);
      String answer = "";
      // An empty line ends the answer; the connection stays open for more.
      while (!answer.endsWith("\n\n")) {
        if (channel.read(in) < 0) {
          throw new IOException("wireguard-go hung up on " + socket());
        }
        answer = new String(in.array(), 0, in.position(), StandardCharsets.US_ASCII);
      }
      return answer;
    }
  }

  private static String hex(WireGuardKey key) {
    return HexFormat.of().formatHex(key.toBytes());
  }

  private interface Configuration {
    void apply(Netlink netlink) throws IOException;
  }

  private void configure(Configuration configuration) throws Exception {
    namespace.call(
        () -> {
          try (Netlink netlink = Netlink.open()) {
            configuration.apply(netlink);
          }
          return null;
        });
  }

  @Override
  public void close() throws IOException {
    process.destroy();
    try {
      if (!process.waitFor(5, TimeUnit.SECONDS)) {
        process.destroyForcibly().waitFor();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
    // It removes the socket itself unless it was killed.
    Files.deleteIfExists(socket());
  }
}
