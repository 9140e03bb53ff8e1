package coral.agent.observation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.model.IpPrefix;
import coral.model.MeshSubnet;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ConnectionTrackingTest {
  private static final MeshSubnet SUBNET = MeshSubnet.parse("10.42.0.0/16", "fd42::/64");

  private static final String OUTGOING =
      "ipv4     2 tcp      6 431999 ESTABLISHED src=10.42.0.2 dst=10.42.0.3 sport=40668 dport=5432"
          + " packets=12 bytes=1640 src=10.42.0.3 dst=10.42.0.2 sport=5432 dport=40668 packets=9"
          + " bytes=11200 [ASSURED] mark=0 zone=0 use=2";

  private static final String INCOMING =
      "ipv4     2 tcp      6 300 ESTABLISHED src=10.42.0.3 dst=10.42.0.2 sport=50000 dport=8080"
          + " packets=2 bytes=100 src=10.42.0.2 dst=10.42.0.3 sport=8080 dport=50000 packets=3"
          + " bytes=900 [ASSURED] mark=0 zone=0 use=2";

  private static final String IPV6 =
      "ipv6     10 tcp      6 431985 ESTABLISHED src=fd42:0000:0000:0000:0000:0000:0000:0002"
          + " dst=fd42:0000:0000:0000:0000:0000:0000:0007 sport=40670 dport=443"
          + " src=fd42:0000:0000:0000:0000:0000:0000:0007"
          + " dst=fd42:0000:0000:0000:0000:0000:0000:0002 sport=443 dport=40670 [ASSURED] mark=0"
          + " zone=0 use=2";

  private static List<ObservedConnection> read(String... lines) {
    List<ObservedConnection> seen = new ArrayList<>();
    OwnAddresses own = new OwnAddresses(SUBNET.addresses(2), SUBNET);
    ConnectionTracking tracking = new ConnectionTracking(own, tracked -> seen.add(tracked.seen()));
    List.of(lines).forEach(new ConnectionTrackingFile(own, tracking::flow)::line);
    return seen;
  }

  private static ObservedConnection seen(
      String remote, int port, boolean outgoing, String protocol, long sent, long received) {
    return new ObservedConnection(
        IpPrefix.parseAddress(remote), port, outgoing, protocol, 1, sent, received);
  }

  @Test
  void theOpenerIsTheSourceAndBytesAreOfBothWays() {
    assertEquals(
        List.of(
            seen("10.42.0.3", 5432, true, "tcp", 1640, 11_200),
            seen("10.42.0.3", 8080, false, "tcp", 900, 100),
            seen("fd42::7", 443, true, "tcp", 0, 0)),
        read(OUTGOING, INCOMING, IPV6));
  }

  @Test
  void datagramsAreAConnectionOnceTheyAreAnswered() {
    String answered =
        "ipv4     2 udp      17 29 src=10.42.0.2 dst=10.42.0.3 sport=40000 dport=53 src=10.42.0.3"
            + " dst=10.42.0.2 sport=53 dport=40000 mark=0 zone=0 use=2";
    String unanswered =
        "ipv4     2 udp      17 29 src=10.42.0.2 dst=10.42.0.3 sport=40001 dport=53 [UNREPLIED]"
            + " src=10.42.0.3 dst=10.42.0.2 sport=53 dport=40001 mark=0 zone=0 use=2";
    assertEquals(List.of(seen("10.42.0.3", 53, true, "udp", 0, 0)), read(answered, unanswered));
  }

  @Test
  void connectionsOfContainersBehindThisHostAreItsOwn() {
    String masqueraded = OUTGOING.replaceFirst("src=10.42.0.2", "src=172.17.0.5");
    assertEquals(List.of(seen("10.42.0.3", 5432, true, "tcp", 1640, 11_200)), read(masqueraded));
    String published =
        INCOMING
            .replaceFirst("src=10.42.0.2 dst=10.42.0.3", "src=172.17.0.5 dst=10.42.0.3")
            .replace("sport=8080", "sport=80");
    assertEquals(List.of(seen("10.42.0.3", 8080, false, "tcp", 900, 100)), read(published));
    String serviceAddress =
        OUTGOING
            .replaceFirst("dst=10.42.0.3", "dst=172.30.0.1")
            .replace("dport=5432", "dport=15432");
    assertEquals(List.of(seen("10.42.0.3", 5432, true, "tcp", 1640, 11_200)), read(serviceAddress));
  }

  @Test
  void whatIsNotOpenIsNoConnection() {
    for (String state : List.of("SYN_SENT", "FIN_WAIT", "TIME_WAIT", "CLOSE", "LAST_ACK")) {
      assertEquals(List.of(), read(OUTGOING.replace("ESTABLISHED", state)));
    }
    assertEquals(
        1, read(OUTGOING.replace(" 431999 ESTABLISHED", "").replace("ASSURED", "OFFLOAD")).size());
    assertEquals(
        List.of(),
        read(
            "ipv4     2 icmp     1 29 src=10.42.0.2 dst=10.42.0.3 type=8 code=0 id=7 src=10.42.0.3"
                + " dst=10.42.0.2 type=0 code=0 id=7 mark=0 zone=0 use=2"));
  }

  /** As nf_conntrack_standalone.c writes what this machine's kernel is not built with. */
  @Test
  void fieldsOfOtherKernelsAreNoHindrance() {
    List<ObservedConnection> seen = List.of(seen("10.42.0.3", 5432, true, "tcp", 1640, 11_200));
    String noTimeoutAndNoState = OUTGOING.replace(" 431999 ESTABLISHED", "");
    assertEquals(seen, read(noTimeoutAndNoState.replace("[ASSURED]", "[HW_OFFLOAD]")));
    assertEquals(seen, read(noTimeoutAndNoState.replace("[ASSURED]", "[OFFLOAD]")));
    assertEquals(
        seen,
        read(
            OUTGOING
                .replace("dport=5432 ", "dport=5432 zone-orig=7 ")
                .replace("dport=40668 ", "dport=40668 zone-reply=8 ")
                .replace(
                    "zone=0 ",
                    "secctx=system_u:object_r:postgresql_client_packet_t:s0 zone=9"
                        + " delta-time=86400 ")));
    assertEquals(seen, read(OUTGOING.replace("mark=0 ", "").replace("zone=0 ", "")));
  }

  @Test
  void nothingOfOtherAddressesIsKept() {
    assertEquals(
        List.of(),
        read(
            OUTGOING.replace("10.42.0.3", "8.8.8.8"),
            OUTGOING.replace("10.42.0.2", "192.168.0.100"),
            OUTGOING.replace("10.42.0.2", "10.42.0.22"),
            OUTGOING.replace("10.42.0.3", "10.42.0.2")));
  }

  @Test
  void whatIsNoLineOfATableIsLeftOut() {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    String alphabet = "0123456789abcdef:.= \t\0-+[]srcdtpoy";
    for (int i = 0; i < 20_000; i++) {
      StringBuilder line = new StringBuilder(random.nextBoolean() ? OUTGOING : IPV6);
      for (int change = random.nextInt(1, 6); change > 0; change--) {
        int at = random.nextInt(line.length());
        line.setCharAt(at, alphabet.charAt(random.nextInt(alphabet.length())));
      }
      String hostile = line.substring(0, random.nextInt(line.length() + 1));
      for (ObservedConnection seen : read(hostile)) {
        assertTrue(
            SUBNET.ipv4().contains(seen.remote()) || SUBNET.ipv6().contains(seen.remote()),
            () -> "seed " + seed + ": " + hostile);
        assertTrue(seen.port() >= 1 && seen.port() <= 65_535, () -> "seed " + seed);
      }
    }
    assertEquals(
        List.of(),
        read(
            OUTGOING.replace("dport=", "dport=7"),
            OUTGOING.replace("sport=5432", "sport=0"),
            OUTGOING.replace("dst=", "tsd="),
            OUTGOING.replace("bytes=1640", "bytes=-1"),
            OUTGOING + " x=1".repeat(100),
            "src=10.42.0.2 ".repeat(20)));
  }
}
