package coral.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Timestamp;
import com.typesafe.config.ConfigFactory;
import coral.api.colony.v1.AuditRecord;
import coral.colony.ColonyFiles;
import coral.colony.ColonyProcess;
import coral.settings.SettingsLoader;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine.TypeConversionException;

@Timeout(120)
class AuditCommandTest {
  private static final AuditRecord RECORD =
      AuditRecord.newBuilder()
          .setSequence(7)
          .setTime(Timestamp.newBuilder().setSeconds(1_893_553_445).setNanos(6_000))
          .setKind("secret-refused")
          .setActor("anyone")
          .setSourceAddress("192.0.2.1")
          .setDetail("the colony secret is wrong")
          .build();

  private static final String JSON =
      "{\"sequence\":7,\"time\":\"2030-01-02T03:04:05Z\",\"kind\":\"secret-refused\","
          + "\"actor\":\"anyone\",\"meshAddress\":null,\"sourceAddress\":\"192.0.2.1\","
          + "\"subject\":null,\"detail\":\"the colony secret is wrong\",\"requestId\":null,"
          + "\"hash\":\"\"}";

  @TempDir Path home;

  @Test
  void aWholeLogIsShownAndVerifiedAndAChangedRecordIsNamed() throws Exception {
    ColonyFiles.Created created = ColonyFiles.create("shop", "test", home, InstantSource.system());
    try (ColonyProcess colony = start(created)) {
      Cli shown = coral(colony, "audit", "--kind", "colony-started");
      assertEquals(0, shown.exitCode(), shown.err());
      assertTrue(shown.out().startsWith("TIME (UTC)"), shown.out());
      assertTrue(shown.out().contains(" colony-started "), shown.out());
      assertEquals(2, shown.out().lines().count(), shown.out());
      assertEquals("No such records.\n", coral(colony, "audit", "--kind", "token-issued").out());
      assertEquals(
          "{\"records\":[]}\n", coral(colony, "audit", "--agent", "nobody", "-o", "json").out());

      Cli verified = coral(colony, "audit", "verify");
      assertEquals(0, verified.exitCode(), verified.err());
      // The start of the colony, and that somebody reads the log.
      assertTrue(
          verified.out().matches("(?s).* is what was recorded: [2-3] records\\..*"),
          verified.out());
      Cli asJson = coral(colony, "audit", "verify", "-o", "json");
      assertTrue(asJson.out().matches("(?s)\\{\"verified\":true,\"records\":3,.*"), asJson.out());

      try (Connection connection =
              DriverManager.getConnection(
                  "jdbc:duckdb:"
                      + created.directory().resolve("colony.duckdb")
                      + ";memory_limit=512MB;threads=2");
          Statement statement = connection.createStatement()) {
        statement.executeUpdate("UPDATE audit_records SET detail = 'something else'");
      }
      Cli broken = coral(colony, "audit", "verify");
      assertEquals(1, broken.exitCode());
      assertTrue(broken.err().contains(" is broken at record 1: "), broken.err());
      assertTrue(broken.err().contains("Keep a copy"), broken.err());
      Cli json = coral(colony, "audit", "verify", "-o", "json");
      assertEquals(1, json.exitCode());
      assertTrue(
          json.out().contains("\"brokenAt\":\"1\"") || json.out().contains("\"brokenAt\":1"),
          json.out());
    }
  }

  private static ColonyProcess start(ColonyFiles.Created created) throws Exception {
    return ColonyProcess.start(
        ConfigFactory.parseMap(
                Map.of(
                    "coral.colony.directory",
                    created.directory().toString(),
                    "coral.colony.listen.host",
                    "127.0.0.1",
                    "coral.colony.listen.port",
                    0,
                    "coral.colony.wireguard.port",
                    0,
                    "coral.colony.wireguard.device",
                    "user-space",
                    "coral.colony.management.port",
                    0))
            .withFallback(SettingsLoader.load(Optional.of(created.settingsFile()))),
        InstantSource.system());
  }

  private Cli coral(ColonyProcess colony, String... arguments) {
    List<String> all = new ArrayList<>(List.of(arguments));
    all.addAll(List.of("--endpoint", "127.0.0.1:" + colony.rpcAddress().getPort()));
    return Cli.run(Map.of("CORAL_HOME", home.toString()), all.toArray(String[]::new));
  }

  @Test
  void linesAreCutAtTheWidthOfTheTerminalAndNeverWithoutOne() {
    String head = "2030-01-02 03:04:05  secret-refused          192.0.2.1             -";
    assertEquals(head + "                 the colony secret is wrong", line(0));
    assertEquals(head + "                 the colony …", line(97));
    assertEquals(97, line(97).length());
  }

  private static String line(int width) {
    StringWriter text = new StringWriter();
    PrintWriter out = new PrintWriter(text);
    new AuditCommand.Lines(out, width).add(RECORD);
    out.flush();
    return text.toString().lines().toList().get(1);
  }

  @Test
  void inJsonEveryKeyIsThereAndWhoFollowsGetsALineForEachRecord() {
    assertEquals(
        "{\"records\":[" + JSON + "," + JSON + "]}\n", structured(false, OutputFormat.JSON));
    assertEquals(JSON + "\n" + JSON + "\n", structured(true, OutputFormat.JSON));
  }

  @Test
  void recordsInYamlAreOneListOrADocumentEach() {
    String record = Yaml.of("{\"records\":[" + JSON + "]}").substring("records:\n".length());
    assertEquals("records:\n" + record + record, structured(false, OutputFormat.YAML));
    String document = "---\n" + Yaml.of(JSON);
    assertEquals(document + document, structured(true, OutputFormat.YAML));
  }

  private static String structured(boolean follow, OutputFormat format) {
    StringWriter text = new StringWriter();
    PrintWriter out = new PrintWriter(text);
    AuditCommand.Structured lines = new AuditCommand.Structured(out, follow, format);
    lines.add(RECORD);
    lines.add(RECORD);
    lines.end();
    out.flush();
    return text.toString();
  }

  @Test
  void aTimeIsAnAgeADateOrAnInstant() {
    Instant now = Instant.parse("2030-01-02T03:04:05Z");
    assertEquals(Instant.parse("2030-01-02T03:02:35Z"), Since.parse("90s", now));
    assertEquals(Instant.parse("2030-01-02T02:49:05Z"), Since.parse("15m", now));
    assertEquals(Instant.parse("2030-01-01T03:04:05Z"), Since.parse("24h", now));
    assertEquals(Instant.parse("2029-12-26T03:04:05Z"), Since.parse("7d", now));
    assertEquals(Instant.parse("2026-05-01T00:00:00Z"), Since.parse("2026-05-01", now));
    assertEquals(Instant.parse("2026-05-01T10:00:00Z"), Since.parse("2026-05-01T10:00:00Z", now));
    for (String wrong :
        List.of("", "1", "h", "1w", "-1h", "999999d", "yesterday", "2026-13-01", "T")) {
      assertThrows(TypeConversionException.class, () -> Since.parse(wrong, now), wrong);
    }
  }
}
