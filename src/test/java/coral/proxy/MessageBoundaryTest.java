package coral.proxy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.Test;

final class MessageBoundaryTest {
  @Test
  void thereIsOneBeforeTheFirstMessageAndBehindAnEmptyOne() {
    MessageBoundary boundary = new MessageBoundary();
    assertTrue(boundary.reached());
    boundary.passed(Unpooled.wrappedBuffer(new byte[] {0, 0, 0, 0}));
    assertFalse(boundary.reached());
    boundary.passed(Unpooled.wrappedBuffer(new byte[] {0}));
    assertTrue(boundary.reached());
  }

  @Test
  void aLengthHasNoSign() {
    MessageBoundary boundary = new MessageBoundary();
    boundary.passed(Unpooled.wrappedBuffer(new byte[] {0, -1, -1, -1, -1, 7}));
    assertFalse(boundary.reached());
  }

  /** However the messages are cut into pieces. */
  @Test
  void itIsWhereTheMessagesEnd() {
    long seed = ThreadLocalRandom.current().nextLong();
    Random random = new Random(seed);
    for (int round = 0; round < 200; round++) {
      ByteBuf messages = Unpooled.buffer();
      Set<Integer> ends = new TreeSet<>(Set.of(0));
      for (int i = random.nextInt(8); i >= 0; i--) {
        byte[] message = new byte[random.nextInt(300)];
        random.nextBytes(message);
        messages.writeByte(random.nextInt(256)).writeInt(message.length).writeBytes(message);
        ends.add(messages.writerIndex());
      }
      MessageBoundary boundary = new MessageBoundary();
      for (int at = 0; at < messages.writerIndex(); ) {
        int piece = Math.min(1 + random.nextInt(40), messages.writerIndex() - at);
        boundary.passed(messages.slice(at, piece));
        at += piece;
        assertEquals(ends.contains(at), boundary.reached(), "at " + at + ", seed " + seed);
      }
    }
  }
}
