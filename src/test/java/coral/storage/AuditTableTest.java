package coral.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Path;
import java.time.Instant;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AuditTableTest {
  @TempDir Path directory;

  private static AuditTable.Row row(long sequence) {
    return new AuditTable.Row(
        sequence, Instant.EPOCH, "kind", "actor", "", "", "subject", "", "", "hash");
  }

  /** Otherwise a crash in between has the same events of a journal recorded twice. */
  @Test
  void rowsAndHowFarJournalsAreRecordedAreWrittenTogetherOrNotAtAll() throws Exception {
    try (DuckDbFile file = DuckDbFile.open(directory.resolve("colony.duckdb"))) {
      AuditTable table = new AuditTable(file);
      table.append(List.of(row(1)), Map.of("journal", 1L));
      Map<String, Long> noName = Collections.singletonMap(null, 2L);
      assertThrows(StoreException.class, () -> table.append(List.of(row(2)), noName));
      AuditTable.Contents contents = table.contents(10);
      assertEquals(List.of(row(1)), contents.last());
      assertEquals(1, contents.count());
      assertEquals(Map.of("journal", 1L), contents.journals());
    }
  }
}
