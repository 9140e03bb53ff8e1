package coral.wireguard.embedded;

import coral.linux.NetworkNamespace;
import coral.model.WireGuardKey;
import coral.wireguard.KeyPair;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;

/** Debian's wireguard-go as a process in a network namespace, configured over its socket. */
final class WireGuardGo implements AutoCloseable {
  private static final Path BINARY = Path.of("/usr/bin/wireguard-go");

  private final Process process;
  private final Path socket;

  private WireGuardGo(Process process, Path socket) {
    this.process = process;
    this.socket = socket;
  }

  /** Skips the calling test, with the reason, where wireguard-go is not installed. */
  static void assumeInstalled() {
    Assumptions.assumeTrue(
        Files.isExecutable(BINARY), "wireguard-go is not installed: apt-get install wireguard-go");
  }

  /** Starts it; its interface exists and its socket listens when this returns. */
  static WireGuardGo start(NetworkNamespace namespace, String interfaceName) throws Exception {
    Path socket = Path.of("/var/run/wireguard", interfaceName + ".sock");
    Process process =
        namespace.call(
            () -> {
              ProcessBuilder builder =
                  new ProcessBuilder(BINARY.toString(), "-f", interfaceName)
                      .redirectErrorStream(true);
              builder.environment().put("LOG_LEVEL", "verbose");
              return builder.start();
            });
    BufferedReader log =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    StringBuilder said = new StringBuilder();
    for (String line = log.readLine(); line != null; line = log.readLine()) {
      said.append(line).append('\n');
      if (line.contains("UAPI listener started")) {
        drain(log);
        return new WireGuardGo(process, socket);
      }
    }
    throw new IOException("wireguard-go did not start:\n" + said);
  }

  /** So that it never blocks on its log. */
  private static void drain(BufferedReader log) {
    Thread thread =
        new Thread(
            () -> {
              try {
                while (log.readLine() != null) {}
              } catch (IOException e) {
                // it has ended
              }
            },
            "wireguard-go-log");
    thread.setDaemon(true);
    thread.start();
  }

  /** Sets its key and port, before anything else. */
  void configure(KeyPair keys, int port) throws IOException {
    set("private_key=" + hex(keys.privateKeyBytes()) + "\nlisten_port=" + port);
  }

  /** Lets it listen on another port, and send from there. */
  void listenOn(int port) throws IOException {
    set("listen_port=" + port);
  }

  /**
   * Adds a peer.
   *
   * @param lines such as {@code endpoint=10.99.0.1:51820}
   */
  void addPeer(WireGuardKey key, String... lines) throws IOException {
    set("public_key=" + hex(key.toBytes()) + "\n" + String.join("\n", lines));
  }

  /** The value of a line of its state. */
  String get(String name) throws IOException {
    return talk("get=1\n\n")
        .lines()
        .filter(line -> line.startsWith(name + "="))
        .map(line -> line.substring(name.length() + 1))
        .findFirst()
        .orElseThrow();
  }

  private void set(String lines) throws IOException {
    String answer = talk("set=1\n" + lines + "\n\n");
    if (!answer.equals("errno=0\n\n")) {
      throw new IOException("wireguard-go refused its configuration: " + answer);
    }
  }

  private String talk(String request) throws IOException {
    try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      channel.connect(UnixDomainSocketAddress.of(socket));
      channel.write(StandardCharsets.US_ASCII.encode(request));
      StringBuilder answer = new StringBuilder();
      ByteBuffer buffer = ByteBuffer.allocate(4096);
      while (answer.indexOf("\n\n") < 0 && channel.read(buffer) >= 0) {
        answer.append(StandardCharsets.US_ASCII.decode(buffer.flip()));
        buffer.clear();
      }
      return answer.toString();
    }
  }

  static String hex(byte[] bytes) {
    return HexFormat.of().formatHex(bytes);
  }

  @Override
  public void close() throws Exception {
    process.destroy();
    if (!process.waitFor(10, TimeUnit.SECONDS)) {
      process.destroyForcibly().waitFor();
    }
    Files.deleteIfExists(socket);
  }
}
