package coral;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import coral.storage.JournalRecordSerializer;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.actor.ExtendedActorSystem;
import org.apache.pekko.testkit.javadsl.TestKit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What any version has written into a journal must be read by this one. For each name in {@code
 * coral.journal.manifests} there is a file {@code journal/<name>.txt}: its first line is a record
 * as it stands in the journal, in hexadecimal, and its second what it means.
 */
final class JournalCompatibilityTest {
  private static final Config CONFIG = ConfigFactory.load();
  private static final ActorSystem SYSTEM =
      ActorSystem.create(
          "journal-compatibility",
          ConfigFactory.parseString("pekko.actor.provider = local").withFallback(CONFIG));
  private static final JournalRecordSerializer SERIALIZER =
      new JournalRecordSerializer((ExtendedActorSystem) SYSTEM);

  static Stream<String> manifests() {
    return new TreeSet<>(CONFIG.getObject("coral.journal.manifests").keySet()).stream();
  }

  @AfterAll
  static void stop() {
    TestKit.shutdownActorSystem(SYSTEM);
  }

  @ParameterizedTest
  @MethodSource("manifests")
  void everyRecordThatWasEverWrittenIsRead(String manifest) throws IOException {
    List<String> golden = golden(manifest);
    byte[] bytes = HexFormat.of().parseHex(golden.get(0));
    Object record = SERIALIZER.fromBinary(bytes, manifest);
    assertEquals(golden.get(1), record.toString());
    if (SERIALIZER.manifest(record).equals(manifest)) {
      assertEquals(
          golden.get(0),
          HexFormat.of().formatHex(SERIALIZER.toBinary(record)),
          "the format changed: give it a new name, and keep a class that reads " + manifest);
    }
  }

  private static List<String> golden(String manifest) throws IOException {
    String name = "/journal/" + manifest + ".txt";
    try (InputStream in = JournalCompatibilityTest.class.getResourceAsStream(name)) {
      assertNotNull(in, "there are no golden bytes: src/test/resources" + name);
      List<String> lines = new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().toList();
      assertTrue(lines.size() == 2, name + " has two lines");
      return lines;
    }
  }
}
