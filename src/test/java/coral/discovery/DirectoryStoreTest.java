package coral.discovery;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.model.ColonyId;
import coral.model.Ed25519PublicKey;
import coral.model.Failure;
import coral.model.RefusedException;
import coral.storage.DuckDbFile;
import coral.storage.StoreException;
import coral.testing.TemporaryFileSystem;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The directory's file: on a full disk, and with as many colonies as it may have. */
final class DirectoryStoreTest {
  private static final int MANY = 10_000;

  private static final Ed25519PublicKey KEY =
      Ed25519PublicKey.parse("11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="); // RFC 8032, 7.1

  @TempDir Path directory;

  private static ColonyEntry entry(String meshId) {
    return new ColonyDirectory(1, Duration.ofMinutes(5), ColonyDirectoryTest.days(30))
        .announce(
            ColonyDirectoryTest.announcement(meshId), "hash", Optional.empty(), Instant.EPOCH);
  }

  /** A full disk invalidates DuckDB's database: what had it open has to open it again. */
  @Test
  void afterAFullDiskItWritesAgainWithoutARestart() throws Exception {
    try (TemporaryFileSystem disk = TemporaryFileSystem.mount(directory, "16m");
        DirectoryStore store = DirectoryStore.open(disk.path().resolve("discovery.duckdb"))) {
      store.write(List.of(entry("before")), List.of());
      disk.fill();
      StoreException full = null;
      Set<ColonyEntry> expected = new HashSet<>(Set.of(entry("before")));
      for (int i = 0; full == null && i < 10_000; i++) {
        try {
          store.write(List.of(entry("mesh-" + i)), List.of());
          expected.add(entry("mesh-" + i));
        } catch (StoreException e) {
          full = e;
        }
      }
      assertTrue(full != null, "the disk was full");
      disk.empty();
      store.write(List.of(entry("after")), List.of());
      expected.add(entry("after"));
      assertEquals(expected, Set.copyOf(store.load()));
    }
  }

  /** An older version of this program removes a colony and leaves what it does not know of. */
  @Test
  void whatAnOlderVersionLeftOfAColonyIsNotInherited() throws Exception {
    Path file = directory.resolve("discovery.duckdb");
    ColonyEntry unowned = entry("mesh");
    ColonyEntry owned =
        unowned.with(
            unowned.secrets().rotated("next", Instant.EPOCH.plusSeconds(60)),
            Optional.of(new Owner(KEY, 7, Instant.EPOCH)));
    try (DirectoryStore store = DirectoryStore.open(file)) {
      store.write(List.of(owned), List.of());
      assertEquals(List.of(owned), store.load());
    }
    try (DuckDbFile older = DuckDbFile.open(file, List.of("discovery/directory-v1.sql"))) {
      older.inTransaction(
          connection -> connection.prepareStatement("DELETE FROM colonies").executeUpdate());
    }
    try (DirectoryStore store = DirectoryStore.open(file)) {
      assertEquals(List.of(), store.load());
      store.write(List.of(unowned), List.of());
      assertEquals(List.of(unowned), store.load());
      store.write(List.of(owned), List.of());
      store.write(List.of(unowned), List.of());
      assertEquals(List.of(unowned), store.load());
      store.write(List.of(owned), List.of());
      store.write(List.of(), List.of(owned.announcement().meshId()));
      store.write(List.of(unowned), List.of());
      assertEquals(List.of(unowned), store.load());
    }
  }

  @Test
  @Timeout(60)
  void tenThousandColoniesAreKeptFoundAndPruned() throws Exception {
    ColonyDirectory colonies =
        new ColonyDirectory(MANY, Duration.ofMinutes(5), ColonyDirectoryTest.days(30));
    List<ColonyEntry> entries = new ArrayList<>();
    for (int i = 0; i < MANY; i++) {
      ColonyEntry entry =
          colonies.announce(
              ColonyDirectoryTest.announcement("mesh-" + i),
              "hash",
              i % 2 == 0 ? Optional.empty() : Optional.of(new OwnerClaim(KEY, i)),
              Instant.EPOCH.plusSeconds(i));
      colonies.put(entry);
      entries.add(entry);
    }
    RefusedException refused =
        assertThrows(
            RefusedException.class,
            () ->
                colonies.announce(
                    ColonyDirectoryTest.announcement("one-more"),
                    "hash",
                    Optional.empty(),
                    Instant.EPOCH));
    assertEquals(Failure.LIMIT_REACHED, refused.refused().failure());
    Path file = directory.resolve("discovery.duckdb");
    try (DirectoryStore store = DirectoryStore.open(file)) {
      for (int from = 0; from < MANY; from += PendingWrites.MAX_BATCH) {
        store.write(entries.subList(from, from + PendingWrites.MAX_BATCH), List.of());
      }
    }
    try (DirectoryStore store = DirectoryStore.open(file)) {
      assertEquals(Set.copyOf(entries), Set.copyOf(store.load()));
      long begin = System.nanoTime();
      for (int i = 0; i < MANY; i++) {
        assertTrue(
            colonies.lookup(new ColonyId("mesh-" + i), Instant.EPOCH.plusSeconds(i)).isPresent());
      }
      Duration lookups = Duration.ofNanos(System.nanoTime() - begin);
      assertTrue(lookups.compareTo(Duration.ofSeconds(2)) < 0, lookups + " for all");
      // The first half has ended.
      Instant then =
          Instant.EPOCH.plusSeconds(MANY / 2 - 1).plus(Duration.ofDays(30)).plusSeconds(300);
      List<ColonyId> ended = colonies.abandoned(then);
      assertEquals(MANY / 2, ended.size());
      for (int from = 0; from < MANY / 2; from += PendingWrites.MAX_BATCH) {
        store.write(List.of(), ended.subList(from, from + PendingWrites.MAX_BATCH));
      }
      assertEquals(Set.copyOf(entries.subList(MANY / 2, MANY)), Set.copyOf(store.load()));
    }
  }
}
