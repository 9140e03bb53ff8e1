package coral.colony;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.certificate.Authority;
import coral.certificate.KeyType;
import coral.storage.AuditTable;
import coral.storage.DuckDbFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a colony issues to itself is in its audit. */
@Timeout(120)
class OwnCertificatesTest {
  /** Older than half of an intermediate's life: it is followed by a new one. */
  private static final Duration LATER = Duration.ofDays(600);

  @TempDir Path directory;

  /** Of a colony that does not run. */
  private static List<AuditTable.Row> records(TestColony colony, String kind) throws Exception {
    try (DuckDbFile file = DuckDbFile.open(colony.database())) {
      return new AuditTable(file)
          .page(
              new AuditTable.Filter(0, Optional.empty(), Optional.empty(), Optional.of(kind)), 100)
          .rows();
    }
  }

  @Test
  void intermediatesAndThePortsCertificateAreRecordedOnceWhenTheyAreRenewed() throws Exception {
    try (TestColony colony =
        TestColony.start(directory, Map.of("coral.colony.authority.key-type", "p-256"))) {
      colony.process().close();
      assertEquals(List.of(), records(colony, "authority-changed"));

      // Made while nobody could record it.
      Authority authority = Authority.load(colony.home());
      assertTrue(
          authority.renewIntermediates(
              KeyType.P_256, InstantSource.system().instant().plus(LATER)));
      Files.delete(new ColonyFiles(colony.home()).serverCertificate());
      for (String start : List.of("the first start", "the second start")) {
        colony.restart();
        colony.process().close();
        List<AuditTable.Row> changed = records(colony, "authority-changed");
        assertEquals(2, changed.size(), start + changed);
        assertTrue(
            changed.stream().allMatch(row -> row.detail().startsWith("intermediate ")),
            changed::toString);
        List<AuditTable.Row> issued = records(colony, "certificate-issued");
        assertEquals(1, issued.size(), start + issued);
        assertEquals("colony", issued.get(0).actor());
        assertTrue(issued.get(0).detail().startsWith("for the port, serial "), issued::toString);
      }
    }
  }
}
