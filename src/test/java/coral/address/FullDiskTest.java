package coral.address;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.address.IpAllocator.Refusal;
import coral.address.IpAllocator.Reply;
import coral.model.Failure;
import coral.model.MeshSubnet;
import coral.testing.TemporaryFileSystem;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A disk that fills up while agents register: in the log of the database, or in a checkpoint. */
@Timeout(120)
final class FullDiskTest {
  private static final MeshSubnet SUBNET = MeshSubnet.parse("10.42.0.0/16", "fd42::/64");

  @TempDir Path directory;

  /**
   * Fills a disk of 16 MB after so many allocations; with none, the log grows until nothing is
   * left, and its checkpoint finds no room.
   */
  @ParameterizedTest
  @ValueSource(ints = {0, 300, 3_000})
  void requestsAreRefusedNamingTheFileAndNothingThatWasAnsweredIsLost(int allocationsBefore)
      throws Exception {
    try (TemporaryFileSystem disk = TemporaryFileSystem.mount(directory, "16m")) {
      Path path = disk.path().resolve("colony.duckdb");
      List<Allocation> answered = new ArrayList<>();
      try (DurableAllocator allocator = new DurableAllocator(path, SUBNET)) {
        @Nullable Refusal refusal = null;
        boolean filled = false;
        for (int from = 0; refusal == null && from < 65_000; from += 100) {
          if (!filled && allocationsBefore > 0 && from >= allocationsBefore) {
            disk.fill();
            filled = true;
          }
          refusal = offer(allocator, from, answered);
        }
        if (!filled) {
          disk.fill();
        }
        assertTrue(refusal != null, "65,000 allocations do not fit into the disk");
        assertEquals(Failure.STORE_UNAVAILABLE, refusal.refused().failure());
        assertTrue(refusal.refused().message().contains(path.toString()), refusal::toString);

        disk.empty();
        disk.grow("64m"); // where the journal itself has filled it, nothing else can be given back
        Allocation late =
            DurableAllocatorTest.allocateUntilItWorks(allocator, 66_000, 66_000, "late");
        answered.add(late);
        assertEveryAnswerHolds(answered, allocator.list());
      }
      try (DurableAllocator allocator = new DurableAllocator(path, SUBNET)) {
        assertEveryAnswerHolds(answered, allocator.list());
      }
    }
  }

  private static @Nullable Refusal offer(
      DurableAllocator allocator, int from, List<Allocation> answered) {
    List<CompletableFuture<Reply>> replies = new ArrayList<>();
    for (int i = from; i < from + 100; i++) {
      replies.add(allocator.allocate("agent-" + i, AllocationTableTest.key(i + 1), "request-" + i));
    }
    @Nullable Refusal refusal = null;
    for (CompletableFuture<Reply> each : replies) {
      Reply reply = each.join();
      if (reply instanceof Allocation allocation) {
        answered.add(allocation);
      } else {
        refusal = (Refusal) reply;
      }
    }
    return refusal;
  }

  private static void assertEveryAnswerHolds(List<Allocation> answered, List<Allocation> held) {
    assertTrue(new HashSet<>(held).containsAll(answered), "an answered allocation is lost");
    assertEquals(held.size(), held.stream().mapToInt(Allocation::hostNumber).distinct().count());
  }
}
