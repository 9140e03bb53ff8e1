package coral.audit;

import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/** Where the log is kept. Every method blocks, and is one transaction. */
public interface AuditStore {
  /**
   * What there is.
   *
   * @param last the last records, in their order
   * @param count how many records there are in all
   * @param journals up to which event each journal has been recorded
   * @param covered the last record that a root covers; 0 if none
   */
  record Contents(List<AuditRecord> last, long count, Map<String, Long> journals, long covered) {
    public Contents {
      last = List.copyOf(last);
      journals = Map.copyOf(journals);
    }
  }

  /**
   * What there is now.
   *
   * @param records how many of the last records to give
   */
  Contents contents(int records) throws IOException;

  /**
   * Adds records, and remembers how far journals have been recorded by them.
   *
   * @throws IOException if it is not known whether they were added
   */
  void append(List<AuditRecord> records, Map<String, Long> journals) throws IOException;

  /** The last record after {@code after} whose time is before {@code end}. */
  Optional<Long> lastBefore(long after, Instant end) throws IOException;

  /** Gives the records from {@code first} to {@code last}, both included, in their order. */
  void records(long first, long last, Consumer<AuditRecord> each) throws IOException;

  /** Adds a root. */
  void append(AuditRoot root) throws IOException;
}
