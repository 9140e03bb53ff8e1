package coral.wireguard.embedded;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.model.IpPrefix;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class IpPacketTest {
  private static final byte[] IPV4 =
      EchoMessage.request(
          IpPrefix.parseAddress("10.42.0.2"), IpPrefix.parseAddress("10.42.0.3"), 1, 2);
  private static final byte[] IPV6 =
      EchoMessage.request(IpPrefix.parseAddress("fd42::2"), IpPrefix.parseAddress("fd42::3"), 1, 2);

  /** RFC 1624: the corrected checksum is the one computed anew, for any header. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void countingHopsDownCorrectsTheChecksum(long seed) {
    Random random = new Random(seed);
    for (int i = 0; i < 20_000; i++) {
      byte[] header = new byte[IpPacket.IPV4_HEADER];
      random.nextBytes(header);
      header[0] = 0x45;
      IpPacket.putUnsigned16(header, 10, 0);
      IpPacket.putUnsigned16(header, 10, ~IpPacket.folded(IpPacket.sum(header, 0, 20, 0)));
      int hops = header[8] & 0xff;
      if (IpPacket.decrementHops(header, 0)) {
        assertEquals(hops - 1, header[8] & 0xff);
        assertEquals(
            0xffff,
            IpPacket.folded(IpPacket.sum(header, 0, 20, 0)),
            "seed " + seed + ", step " + i + ", header " + Arrays.toString(header));
      } else {
        assertTrue(hops <= 1, "hops " + hops);
      }
    }
  }

  @Test
  void aPacketOfOneHopGoesNoFurtherAndIsNotChanged() {
    byte[] four = IPV4.clone();
    byte[] six = IPV6.clone();
    for (int hops = 0; hops <= 1; hops++) {
      four[8] = (byte) hops;
      six[7] = (byte) hops;
      byte[] fourBefore = four.clone();
      byte[] sixBefore = six.clone();
      assertFalse(IpPacket.decrementHops(four, 0));
      assertFalse(IpPacket.decrementHops(six, 0));
      assertArrayEquals(fourBefore, four);
      assertArrayEquals(sixBefore, six);
    }
    six[7] = 2;
    assertTrue(IpPacket.decrementHops(six, 0));
    assertEquals(1, six[7]);
  }

  @Test
  void theLengthIsThePacketsOwnAndNeverMoreThanThereIs() {
    for (byte[] packet : new byte[][] {IPV4, IPV6}) {
      byte[] padded = Arrays.copyOf(packet, packet.length + 12);
      assertEquals(packet.length, IpPacket.length(padded, 0, padded.length));
      assertEquals(-1, IpPacket.length(padded, 0, packet.length - 1));
      assertEquals(-1, IpPacket.length(padded, 0, 0));
    }
    byte[] neither = IPV4.clone();
    neither[0] = 0x55;
    assertEquals(-1, IpPacket.length(neither, 0, neither.length));
    byte[] tooShort = IPV4.clone();
    IpPacket.putUnsigned16(tooShort, 2, 19);
    assertEquals(-1, IpPacket.length(tooShort, 0, tooShort.length));
  }

  @Test
  void aReplyGoesBackAndItsChecksumsHold() {
    for (byte[] request : new byte[][] {IPV4, IPV6}) {
      assertEquals(EchoMessage.Kind.REQUEST, EchoMessage.kind(request, request.length));
      byte[] reply = request.clone();
      EchoMessage.turnIntoReply(reply, reply.length);
      assertEquals(EchoMessage.Kind.REPLY, EchoMessage.kind(reply, reply.length));
      assertEquals(EchoMessage.label(request), EchoMessage.label(reply));
      reply[reply.length - 1] ^= 1;
      assertEquals(EchoMessage.Kind.OTHER, EchoMessage.kind(reply, reply.length));
    }
  }

  /** Section 5.4.6, and a pitfall: 1420 is not a multiple of 16. */
  @Test
  void paddingEndsAtTheMtu() {
    assertEquals(0, Messages.paddedLength(0, 1420));
    assertEquals(16, Messages.paddedLength(1, 1420));
    assertEquals(1408, Messages.paddedLength(1408, 1420));
    assertEquals(1420, Messages.paddedLength(1409, 1420));
    assertEquals(1500, Messages.paddedLength(1500, 1420));
  }
}
