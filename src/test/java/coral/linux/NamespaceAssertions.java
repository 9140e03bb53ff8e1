package coral.linux;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.ProtocolFamily;
import java.net.StandardProtocolFamily;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** What the tests of this package share. */
final class NamespaceAssertions {
  private NamespaceAssertions() {}

  static ProtocolFamily family(InetAddress address) {
    return address instanceof Inet4Address
        ? StandardProtocolFamily.INET
        : StandardProtocolFamily.INET6;
  }

  static String message(Throwable failure) {
    return String.valueOf(failure.getMessage());
  }

  /** The links of the calling thread's namespace. */
  static List<Netlink.Link> links() throws IOException {
    try (Netlink netlink = Netlink.open()) {
      return netlink.links();
    }
  }

  /** How many sockets, events, devices and namespaces this process holds, files left out. */
  static int openDescriptors() throws IOException {
    int count = 0;
    try (Stream<Path> descriptors = Files.list(Path.of("/proc/self/fd"))) {
      for (Path descriptor : descriptors.toList()) {
        try {
          String target = Files.readSymbolicLink(descriptor).toString();
          if (target.startsWith("socket:")
              || target.startsWith("net:")
              || target.equals("/dev/net/tun")
              || target.equals("anon_inode:[eventfd]")) {
            count++;
          }
        } catch (IOException e) {
          // Closed between listing and reading, like that of the listing itself.
        }
      }
    }
    return count;
  }

  static boolean ended(Thread thread) {
    try {
      thread.join(TimeUnit.SECONDS.toMillis(5));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return !thread.isAlive();
  }

  /** Another JVM that runs a main class of the tests. */
  static ProcessBuilder java(Class<?> main, String... arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-Xshare:auto", "-XX:TieredStopAtLevel=1"));
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
    command.addAll(List.of(arguments));
    return new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
  }

  static String outputOf(Process process) throws Exception {
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertTrue(process.waitFor(30, TimeUnit.SECONDS));
    return output.strip();
  }

  /** Asks one host for an echo. */
  static final class Ping {
    private Ping() {}

    public static void main(String[] arguments) throws Exception {
      boolean answered =
          IcmpEcho.ping(InetAddress.getByName(arguments[0]), Duration.ofSeconds(5)).isPresent();
      System.out.println(answered ? "answered" : "silent");
    }
  }

  /**
   * Holds a namespace with one end of a veth pair, the other end being in the namespace where this
   * runs, and a TUN interface there, until it is killed.
   */
  static final class Holder {
    private Holder() {}

    public static void main(String[] arguments) throws Exception {
      try (NetworkNamespace inner = NetworkNamespace.create("inner");
          TunDevice tun = TunDevice.open("held1", 1420);
          Netlink netlink = Netlink.open()) {
        netlink.addVeth("held0", "held0peer", inner);
        System.out.println("held " + tun.name());
        System.in.read();
      }
    }
  }
}
