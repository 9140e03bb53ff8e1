package coral.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.testing.Eventually;
import coral.testing.NetworkTopology;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class NetworkNamespaceTest {
  private static final Path HANDLE = Path.of("/proc/thread-self/ns/net");

  @BeforeEach
  void namespacesCanBeCreated() {
    NetworkTopology.assumePossible();
  }

  @Test
  void aNamespaceHasOnlyALoopbackLinkThatWorks() throws Exception {
    try (NetworkNamespace namespace = NetworkNamespace.create("alone")) {
      assertEquals(
          1, namespace.call(NamespaceAssertions::links).stream().filter(l -> l.up()).count());
      Netlink.Link loopback = namespace.call(NamespaceAssertions::links).get(0);
      assertEquals("lo", loopback.name());
      assertTrue(loopback.up());
      InetAddress self = InetAddress.getLoopbackAddress();
      assertTrue(namespace.call(() -> IcmpEcho.ping(self, Duration.ofSeconds(5))).isPresent());
    }
  }

  @Test
  void namespacesDoNotSeeEachOther() throws Exception {
    try (NetworkNamespace first = NetworkNamespace.create("first");
        NetworkNamespace second = NetworkNamespace.create("second");
        ServerSocket server =
            first.call(() -> new ServerSocket(0, 1, InetAddress.getLoopbackAddress()))) {
      InetSocketAddress address =
          new InetSocketAddress(InetAddress.getLoopbackAddress(), server.getLocalPort());
      // A socket belongs to the namespace of the thread that creates its descriptor.
      assertEquals(true, first.call(() -> connects(address)));
      assertEquals(false, second.call(() -> connects(address)));
      assertEquals(
          3,
          List.of(first.call(this::id), second.call(this::id), id()).stream().distinct().count());
      InetAddress elsewhere = InetAddress.getByName("10.99.0.1");
      LinuxException noRoute =
          assertThrows(
              LinuxException.class,
              () -> first.call(() -> IcmpEcho.ping(elsewhere, Duration.ofSeconds(1))));
      assertEquals(
          "send an ICMP echo request to 10.99.0.1: Network is unreachable (errno 101)",
          NamespaceAssertions.message(noRoute));
    }
  }

  private static boolean connects(InetSocketAddress address) {
    try (Socket socket = new Socket()) {
      socket.connect(address, 5_000);
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  private String id() throws IOException {
    return Files.readSymbolicLink(HANDLE).toString();
  }

  @Test
  void threadsAndProcessesStartedInsideStayInside() throws Exception {
    try (NetworkNamespace namespace = NetworkNamespace.create("parent")) {
      String inside = namespace.call(this::id);
      assertNotEquals(id(), inside);
      CompletableFuture<String> ofThread = new CompletableFuture<>();
      namespace.call(
          () -> {
            Thread child =
                new Thread(
                    () -> {
                      try {
                        ofThread.complete(id());
                      } catch (IOException e) {
                        ofThread.completeExceptionally(e);
                      }
                    });
            child.start();
            return null;
          });
      assertEquals(inside, ofThread.get(5, TimeUnit.SECONDS));
      Process process =
          namespace.call(() -> new ProcessBuilder("readlink", "/proc/self/ns/net").start());
      assertEquals(inside, NamespaceAssertions.outputOf(process));
    }
  }

  @Test
  void whatATaskThrowsReachesTheCaller() throws Exception {
    try (NetworkNamespace namespace = NetworkNamespace.create("throwing")) {
      IOException thrown = new IOException("as it was");
      assertSame(
          thrown,
          assertThrows(
              IOException.class,
              () ->
                  namespace.call(
                      () -> {
                        throw thrown;
                      })));
      assertEquals(7, namespace.call(() -> namespace.call(() -> 7)));
    }
  }

  @Test
  void aLinkMovesToAnotherNamespace() throws Exception {
    try (NetworkNamespace from = NetworkNamespace.create("from");
        NetworkNamespace to = NetworkNamespace.create("to")) {
      from.call(
          () -> {
            try (Netlink netlink = Netlink.open()) {
              netlink.addVeth("veth7", "veth8", from);
              netlink.move(netlink.indexOf("veth7"), to);
              LinuxException gone =
                  assertThrows(LinuxException.class, () -> netlink.indexOf("veth7"));
              assertEquals(Libc.ENODEV, gone.errno());
              assertTrue(
                  NamespaceAssertions.message(gone)
                      .startsWith("find the link veth7: No such device"));
            }
            return null;
          });
      assertEquals(List.of("lo", "veth7"), names(to));
      assertEquals(List.of("lo", "veth8"), names(from));
    }
  }

  private static List<String> names(NetworkNamespace namespace) throws Exception {
    return namespace.call(NamespaceAssertions::links).stream()
        .map(Netlink.Link::name)
        .sorted()
        .toList();
  }

  @Test
  void theKernelExplainsWhatItRefuses() throws Exception {
    try (NetworkNamespace namespace = NetworkNamespace.create("refusing")) {
      namespace.call(
          () -> {
            try (Netlink netlink = Netlink.open()) {
              netlink.addBridge("br7");
              LinuxException again =
                  assertThrows(LinuxException.class, () -> netlink.addBridge("br7"));
              assertEquals(
                  "create the bridge br7: File exists (errno 17)",
                  NamespaceAssertions.message(again));
              int bridge = netlink.indexOf("br7");
              LinuxException loop =
                  assertThrows(LinuxException.class, () -> netlink.enslave(bridge, bridge));
              assertTrue(
                  NamespaceAssertions.message(loop)
                      .matches("make link .* a port of bridge .*: .*: .+ \\(errno .*"),
                  NamespaceAssertions.message(loop));
              netlink.removeLink(bridge);
              netlink.removeLink(bridge);
            }
            return null;
          });
    }
  }

  /** The kernel removes everything of a process that dies without a word. */
  @Test
  void nothingIsLeftBehindByAKilledProcess() throws Exception {
    try (NetworkNamespace namespace = NetworkNamespace.create("around");
        Netlink netlink = namespace.call(Netlink::open)) {
      List<Netlink.Link> before = netlink.links();
      Process process =
          namespace.call(() -> NamespaceAssertions.java(NamespaceAssertions.Holder.class).start());
      byte[] line = new byte["held held1".length()];
      assertEquals(line.length, process.getInputStream().readNBytes(line, 0, line.length));
      assertEquals("held held1", new String(line, StandardCharsets.UTF_8));
      assertEquals(before.size() + 2, netlink.links().size());

      process.destroyForcibly().waitFor();
      // The kernel takes namespaces down in the background.
      Eventually.holds(() -> assertEquals(before, netlink.links()));
    }
  }

  @Test
  void rootIsRoot() throws Exception {
    String status = Files.readString(Path.of("/proc/self/status"));
    String effective = status.replaceAll("(?s).*\\nUid:\\t\\d+\\t(\\d+)\\t.*", "$1");
    assertEquals(Integer.parseInt(effective), LinuxProcess.effectiveUserId());
    assertEquals(LinuxProcess.isRoot(), effective.equals("0"));
    assertFalse(effective.isEmpty());
  }
}
