package coral.colony;

import com.google.protobuf.ByteString;
import coral.api.colony.v1.AuditRecord;
import coral.api.colony.v1.AuditRoot;
import coral.api.colony.v1.AuditService;
import coral.api.colony.v1.ListAuditRecordsRequest;
import coral.api.colony.v1.ListAuditRecordsResponse;
import coral.api.colony.v1.ListAuditRootsRequest;
import coral.api.colony.v1.ListAuditRootsResponse;
import coral.model.Failure;
import coral.model.RefusedException;
import coral.storage.AuditTable;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/** {@code AuditService} for a caller whom the authorisation table has let pass. */
final class AuditEdge implements AuditService {
  private static final Duration MAX_WAIT = Duration.ofSeconds(30);

  private final AuditReading log;

  AuditEdge(AuditReading log) {
    this.log = log;
  }

  @Override
  public CompletionStage<ListAuditRecordsResponse> listAuditRecords(
      ListAuditRecordsRequest request) {
    AuditTable.Filter filter =
        new AuditTable.Filter(
            sequence(request.getAfterSequence()),
            request.hasSince() ? Optional.of(since(request)) : Optional.empty(),
            request.getAgentId().isEmpty()
                ? Optional.empty()
                : Optional.of(Requests.agentId(request.getAgentId()).value()),
            kind(request.getKind()));
    return log.page(filter, Requests.pageSize(request.getPageSize()), wait(request))
        .thenApply(
            page ->
                ListAuditRecordsResponse.newBuilder()
                    .addAllRecords(page.rows().stream().map(AuditEdge::record).toList())
                    .setLastSequence(page.lastLookedAt())
                    .setMore(page.more())
                    .build());
  }

  @Override
  public CompletionStage<ListAuditRootsResponse> listAuditRoots(ListAuditRootsRequest request) {
    return log.roots(sequence(request.getAfterSequence()))
        .thenApply(
            roots ->
                ListAuditRootsResponse.newBuilder()
                    .addAllRoots(roots.stream().map(AuditEdge::root).toList())
                    .build());
  }

  /** Numbers of 64 bits without a sign: half of them are none of ours. */
  private static long sequence(long number) {
    if (number < 0) {
      throw invalid("an after_sequence is at most " + Long.MAX_VALUE);
    }
    return number;
  }

  private static Instant since(ListAuditRecordsRequest request) {
    try {
      Instant since = Protobuf.instant(request.getSince());
      if (since.isBefore(Instant.EPOCH) || since.isAfter(Instant.parse("9999-12-31T23:59:59Z"))) {
        throw invalid("since is a time from 1970 to 9999");
      }
      return since;
    } catch (DateTimeException | ArithmeticException e) {
      throw invalid("since is a time from 1970 to 9999");
    }
  }

  private static Optional<String> kind(String name) {
    if (name.isEmpty()) {
      return Optional.empty();
    }
    if (AuditMapping.kind(name).isEmpty()) {
      throw invalid("there is no such kind of audit record");
    }
    return Optional.of(name);
  }

  private static Duration wait(ListAuditRecordsRequest request) {
    Duration wait;
    try {
      wait = Protobuf.duration(request.getWait());
    } catch (ArithmeticException e) {
      throw invalid("a wait is 0 to " + MAX_WAIT.toSeconds() + " s");
    }
    if (wait.isNegative() || wait.compareTo(MAX_WAIT) > 0) {
      throw invalid("a wait is 0 to " + MAX_WAIT.toSeconds() + " s");
    }
    return wait;
  }

  private static RefusedException invalid(String message) {
    return new RefusedException(Failure.INVALID_ARGUMENT, message);
  }

  private static AuditRecord record(AuditTable.Row row) {
    return AuditRecord.newBuilder()
        .setSequence(row.sequence())
        .setTime(Protobuf.timestamp(row.time()))
        .setKind(row.kind())
        .setActor(row.actor())
        .setMeshAddress(row.meshAddress())
        .setSourceAddress(row.sourceAddress())
        .setSubject(row.subject())
        .setDetail(row.detail())
        .setRequestId(row.requestId())
        .setHash(bytes(row.hash()))
        .build();
  }

  private static AuditRoot root(AuditTable.Root root) {
    return AuditRoot.newBuilder()
        .setFirstSequence(root.firstSequence())
        .setLastSequence(root.lastSequence())
        .setRoot(bytes(root.hash()))
        .setSignedAt(Protobuf.timestamp(root.signedAt()))
        .setSignature(signature(root.signature()))
        .setCertificate(ByteString.copyFromUtf8(root.certificates()))
        .build();
  }

  /** What somebody has written into the table that is none reaches the caller as nothing. */
  private static ByteString bytes(String hex) {
    try {
      return ByteString.copyFrom(HexFormat.of().parseHex(hex));
    } catch (IllegalArgumentException e) {
      return ByteString.EMPTY;
    }
  }

  /** As above. */
  private static ByteString signature(String base64) {
    try {
      return ByteString.copyFrom(Base64.getDecoder().decode(base64));
    } catch (IllegalArgumentException e) {
      return ByteString.EMPTY;
    }
  }
}
