package coral.agent.observation;

import static org.junit.jupiter.api.Assertions.assertEquals;

import coral.model.IpPrefix;
import coral.model.MeshSubnet;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Tables as Linux 6.1 writes them, on little-endian hosts unless said otherwise. */
class TcpTableTest {
  private static final MeshSubnet SUBNET = MeshSubnet.parse("10.42.0.0/16", "fd42::/64");

  private static final String HEADINGS =
      "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout"
          + " inode";

  /** 0.0.0.0:8080 */
  private static final String LISTENING =
      "   0: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0"
          + " 651 1 000000008daae1a9 100 0 0 10 0                       ";

  /** 10.42.0.2:8080 with 10.42.0.3:54321 */
  private static final String INCOMING =
      "   1: 02002A0A:1F90 03002A0A:D431 01 00000000:00000000 00:00000000 00000000  1000        0"
          + " 44311 1 0000000000000000 20 4 30 10 -1                    ";

  /** 10.42.0.2:40000 with 10.42.0.3:5432 */
  private static final String OUTGOING =
      "   2: 02002A0A:9C40 03002A0A:1538 01 00000000:00000000 02:0000075A 00000000  1000        0"
          + " 44312 2 0000000000000000 20 4 0 10 -1                     ";

  /** The same connection, closed by this side. */
  private static final String CLOSED = OUTGOING.replace(" 01 ", " 06 ");

  /** [fd42::2]:8080 with [fd42::7]:54322 */
  private static final String INCOMING_IPV6 =
      "   3: 000042FD000000000000000002000000:1F90 000042FD000000000000000007000000:D432 01"
          + " 00000000:00000000 00:00000000 00000000     0        0 44313 1 0000000000000000 20 4"
          + " 30 10 -1";

  /** [::ffff:10.42.0.2]:8080 with [::ffff:10.42.0.3]:54323 */
  private static final String MAPPED =
      "   4: 0000000000000000FFFF000002002A0A:1F90 0000000000000000FFFF000003002A0A:D433 01"
          + " 00000000:00000000 00:00000000 00000000     0        0 44314 1 0000000000000000 20 4"
          + " 30 10 -1";

  private static List<ObservedConnection> read(ByteOrder order, String... lines) {
    TcpTable table = new TcpTable(new OwnAddresses(SUBNET.addresses(2), SUBNET), order);
    List.of(lines).forEach(table::line);
    return table.connections();
  }

  private static List<ObservedConnection> read(String... lines) {
    return read(ByteOrder.LITTLE_ENDIAN, lines);
  }

  private static ObservedConnection seen(String remote, int port, boolean outgoing) {
    return new ObservedConnection(IpPrefix.parseAddress(remote), port, outgoing, "tcp", 1, 0, 0);
  }

  @Test
  void whoListensOnItsPortWasCalledAndWhoDoesNotHasCalled() {
    assertEquals(
        List.of(seen("10.42.0.3", 8080, false), seen("10.42.0.3", 5432, true)),
        read(HEADINGS, LISTENING, INCOMING, OUTGOING, CLOSED));
  }

  @Test
  void aSocketOfBothFamiliesListensForBoth() {
    String listening =
        "   0: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A"
            + " 00000000:00000000 00:00000000 00000000     0        0 44310 1 0000000000000000 100";
    assertEquals(
        List.of(
            seen("10.42.0.3", 8080, false),
            seen("fd42::7", 8080, false),
            seen("10.42.0.3", 8080, false)),
        read(INCOMING, listening, INCOMING_IPV6, MAPPED));
  }

  @Test
  void aSocketThatListensElsewhereDoesNotListenHere() {
    String onLoopback = LISTENING.replace("00000000:1F90 ", "0100007F:1F90 ");
    assertEquals(List.of(seen("10.42.0.3", 0xd431, true)), read(onLoopback, INCOMING));
    String onOwn = LISTENING.replace("00000000:1F90 ", "02002A0A:1F90 ");
    assertEquals(List.of(seen("10.42.0.3", 8080, false)), read(onOwn, INCOMING));
  }

  @Test
  void nothingOfOtherAddressesIsKept() {
    String toInternet = OUTGOING.replace("03002A0A", "08080808");
    String fromElsewhere = OUTGOING.replace("02002A0A", "6400A8C0");
    String withItself = OUTGOING.replace("03002A0A", "02002A0A");
    String otherMember = INCOMING.replace("02002A0A", "04002A0A");
    assertEquals(List.of(), read(LISTENING, toInternet, fromElsewhere, withItself, otherMember));
  }

  @Test
  void aBigEndianHostWritesItsWordsTheOtherWay() {
    assertEquals(
        List.of(seen("10.42.0.3", 5432, true)),
        read(
            ByteOrder.BIG_ENDIAN,
            OUTGOING.replace("02002A0A", "0A2A0002").replace("03002A0A", "0A2A0003")));
  }

  @Test
  void whatIsNoLineOfATableIsLeftOut() {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    String alphabet = "0123456789ABCDEFabcdefg: \t\0-+";
    for (int i = 0; i < 20_000; i++) {
      StringBuilder line = new StringBuilder(random.nextBoolean() ? OUTGOING : MAPPED);
      for (int change = random.nextInt(1, 6); change > 0; change--) {
        int at = random.nextInt(line.length());
        line.setCharAt(at, alphabet.charAt(random.nextInt(alphabet.length())));
      }
      String hostile = line.substring(0, random.nextInt(line.length() + 1));
      for (ObservedConnection seen : read(hostile)) {
        assertEquals(
            true,
            SUBNET.ipv4().contains(seen.remote()) || SUBNET.ipv6().contains(seen.remote()),
            () -> "seed " + seed + ": " + hostile);
      }
    }
    assertEquals(List.of(), read("", " ", "1", "1: x:y z:w 01", "1: :: :: 01 0", "::::"));
    assertEquals(
        List.of(),
        read(
            "1: 02002A0A:9C40 03002A0G:1538 01 0",
            "1: 02002A0A:9C400 03002A0A:1538 01 0",
            "1: 02002A0A:9C40 03002A0A:15 01 0",
            "1: 02002A0A9C40: 03002A0A:1538 01 0"));
  }
}
