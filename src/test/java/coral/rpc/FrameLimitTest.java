package coral.rpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.grpc.Status;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.grpc.GrpcServiceException;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Messages cut into arbitrary pieces, as a network does. */
final class FrameLimitTest {
  private static final int LIMIT = 100;
  private static final ActorTestKit KIT = ActorTestKit.create();

  @AfterAll
  static void stop() {
    KIT.shutdownTestKit();
  }

  private static ByteString frame(int flag, int length) {
    return ByteString.fromArray(
        ByteBuffer.allocate(5 + length).put((byte) flag).putInt(length).array());
  }

  private static List<ByteString> cut(ByteString bytes, Random random) {
    List<ByteString> pieces = new ArrayList<>();
    ByteString rest = bytes;
    while (!rest.isEmpty()) {
      int length = 1 + random.nextInt(Math.min(rest.size(), 40));
      pieces.add(rest.take(length));
      rest = rest.drop(length);
    }
    return pieces;
  }

  private static ByteString through(List<ByteString> pieces, Compression compression)
      throws Exception {
    return Source.from(pieces)
        .via(new FrameLimit(LIMIT, compression, Duration.ofMinutes(1)))
        .runWith(Sink.fold(ByteString.emptyByteString(), ByteString::concat), KIT.system())
        .toCompletableFuture()
        .get(10, TimeUnit.SECONDS);
  }

  private static Status.Code refusal(List<ByteString> pieces) {
    Throwable cause =
        assertThrows(ExecutionException.class, () -> through(pieces, Compression.IDENTITY))
            .getCause();
    return assertInstanceOf(GrpcServiceException.class, cause).status().getCode();
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
  void messagesWithinTheLimitPassUnchangedHoweverTheyAreCut(long seed) throws Exception {
    Random random = new Random(seed);
    ByteString all = ByteString.emptyByteString();
    for (int i = 0; i < 50; i++) {
      all = all.concat(frame(0, random.nextInt(LIMIT + 1)));
    }
    assertEquals(all, through(cut(all, random), Compression.IDENTITY), "seed " + seed);
    ByteString large = all.concat(frame(0, LIMIT + 1));
    assertEquals(Status.Code.RESOURCE_EXHAUSTED, refusal(cut(large, random)), "seed " + seed);
    ByteString compressed = all.concat(frame(1, 1));
    assertEquals(Status.Code.INTERNAL, refusal(cut(compressed, random)), "seed " + seed);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void compressedMessagesComeOutPlain(long seed) throws Exception {
    Random random = new Random(seed);
    ByteString sent = ByteString.emptyByteString();
    ByteString plain = ByteString.emptyByteString();
    for (int i = 0; i < 50; i++) {
      byte[] message = new byte[random.nextInt(LIMIT / 2)];
      random.nextBytes(message);
      boolean compressed = random.nextBoolean();
      byte[] content = compressed ? Gzip.of(message) : message;
      sent = sent.concat(ByteString.fromArray(Envelope.of(compressed ? 1 : 0, content)));
      plain = plain.concat(ByteString.fromArray(Envelope.of(0, message)));
    }
    assertEquals(plain, through(cut(sent, random), Compression.GZIP), "seed " + seed);
  }

  /** A length of four bytes is unsigned: 0xffffffff is not -1. */
  @Test
  void aLengthIsUnsigned() {
    ByteString prefix = ByteString.fromArray(new byte[] {0, -1, -1, -1, -1});
    assertEquals(Status.Code.RESOURCE_EXHAUSTED, refusal(List.of(prefix)));
  }
}
