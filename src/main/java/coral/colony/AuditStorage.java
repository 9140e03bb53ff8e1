package coral.colony;

import coral.audit.AuditRecord;
import coral.audit.AuditRoot;
import coral.audit.AuditStore;
import coral.storage.AuditTable;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/** The audit log's store in the colony's database. */
record AuditStorage(AuditTable table) implements AuditStore {
  @Override
  public Contents contents(int records) throws IOException {
    AuditTable.Contents contents = table.contents(records);
    return new Contents(
        contents.last().stream().map(AuditStorage::record).toList(),
        contents.count(),
        contents.journals(),
        contents.covered());
  }

  @Override
  public void append(List<AuditRecord> records, Map<String, Long> journals) throws IOException {
    table.append(records.stream().map(AuditStorage::row).toList(), journals);
  }

  @Override
  public Optional<Long> lastBefore(long after, Instant end) throws IOException {
    return table.lastBefore(after, end);
  }

  @Override
  public void records(long first, long last, Consumer<AuditRecord> each) throws IOException {
    table.rows(first, last, row -> each.accept(record(row)));
  }

  @Override
  public void append(AuditRoot root) throws IOException {
    table.append(
        new AuditTable.Root(
            root.firstSequence(),
            root.lastSequence(),
            root.hash(),
            root.signedAt(),
            root.signature(),
            root.certificates()));
  }

  private static AuditRecord record(AuditTable.Row row) {
    return new AuditRecord(
        row.sequence(),
        row.time(),
        row.kind(),
        row.actor(),
        row.meshAddress(),
        row.sourceAddress(),
        row.subject(),
        row.detail(),
        row.requestId(),
        row.hash());
  }

  private static AuditTable.Row row(AuditRecord record) {
    return new AuditTable.Row(
        record.sequence(),
        record.time(),
        record.kind(),
        record.actor(),
        record.meshAddress(),
        record.sourceAddress(),
        record.subject(),
        record.detail(),
        record.requestId(),
        record.hash());
  }
}
