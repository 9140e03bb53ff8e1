package coral.cli;

import com.google.protobuf.ByteString;
import coral.api.colony.v1.ListAuditRecordsRequest;
import coral.api.colony.v1.ListAuditRecordsResponse;
import coral.audit.AuditRecord;
import coral.audit.AuditRoot;
import coral.audit.AuditVerification;
import coral.audit.AuditVerification.Broken;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code coral audit verify}. */
@Command(
    name = "verify",
    description = "Fetches the whole audit log and finds out here whether it is what was recorded.",
    footer = {
      "Every record has to follow the one before it by its hash, and every hour's records have to",
      "be those that the colony's authority signed. What is too new to be signed is held together",
      "by hashes alone.",
      "",
      "JSON: {verified, records, hash, signedRecords, signedAt, brokenAt, why}; signedRecords is",
      "the last record that is signed; brokenAt is the first record that is not as it was, or"
          + " null.",
      "",
      "Examples:",
      "  coral audit verify",
      "  coral audit verify -o json | jq -e .verified"
    })
final class AuditVerifyCommand implements Callable<Integer> {
  /** How often a person hears that it goes on. */
  private static final long PROGRESS = 50_000;

  @Spec private @Nullable CommandSpec spec;
  @Mixin private QueryOptions options = new QueryOptions();

  @Override
  public Integer call() {
    CommandSpec self = CoralCommand.given(spec);
    ColonyClient client = options.connect();
    AuditVerification verification = new AuditVerification(client.colony(), client.authorities());
    Optional<Broken> broken =
        verify(
            client,
            verification,
            options.screen().width() == 0
                ? Optional.empty()
                : Optional.of(self.commandLine().getErr()));
    PrintWriter out = CoralCommand.out(spec);
    if (options.isStructured()) {
      out.print(options.output().document(json(verification, broken)));
      out.flush();
      return broken.isEmpty() ? CommandLine.DONE : CommandLine.FAILED;
    }
    if (broken.isPresent()) {
      throw new CommandFailedException(
          "the audit log of colony "
              + client.colony()
              + " is broken at record "
              + broken.get().sequence()
              + ": "
              + broken.get().why(),
          "Keep a copy of the colony's database as it is, and of its backups, before anything"
              + " else.");
    }
    out.print(text(client, verification));
    out.flush();
    return CommandLine.DONE;
  }

  private static Optional<Broken> verify(
      ColonyClient client, AuditVerification verification, Optional<PrintWriter> progress) {
    // First the roots: records that come meanwhile are newer than any of them.
    for (List<AuditRoot> roots = roots(client, 0); !roots.isEmpty(); ) {
      for (AuditRoot root : roots) {
        Optional<Broken> broken = verification.add(root);
        if (broken.isPresent()) {
          return broken;
        }
      }
      roots = roots(client, verification.covered());
    }
    boolean more = true;
    for (long after = 0; more; ) {
      ListAuditRecordsResponse page =
          client.auditRecords(ListAuditRecordsRequest.newBuilder().setAfterSequence(after).build());
      for (coral.api.colony.v1.AuditRecord each : page.getRecordsList()) {
        Optional<Broken> broken = verification.add(record(each));
        if (broken.isPresent()) {
          return broken;
        }
      }
      more = page.getMore();
      after = page.getLastSequence();
      if (after % PROGRESS == 0) {
        long verified = after;
        progress.ifPresent(err -> err.println(verified + " records verified"));
      }
    }
    return verification.end();
  }

  private static List<AuditRoot> roots(ColonyClient client, long after) {
    return client.auditRoots(after).stream().map(AuditVerifyCommand::root).toList();
  }

  private static AuditRoot root(coral.api.colony.v1.AuditRoot root) {
    return new AuditRoot(
        root.getFirstSequence(),
        root.getLastSequence(),
        hex(root.getRoot()),
        Times.instant(root.getSignedAt()).orElse(Instant.EPOCH),
        Base64.getEncoder().encodeToString(root.getSignature().toByteArray()),
        root.getCertificate().toString(StandardCharsets.UTF_8));
  }

  private static AuditRecord record(coral.api.colony.v1.AuditRecord record) {
    return new AuditRecord(
        record.getSequence(),
        Times.instant(record.getTime()).orElse(Instant.EPOCH),
        record.getKind(),
        record.getActor(),
        record.getMeshAddress(),
        record.getSourceAddress(),
        record.getSubject(),
        record.getDetail(),
        record.getRequestId(),
        hex(record.getHash()));
  }

  private static String hex(ByteString bytes) {
    return HexFormat.of().formatHex(bytes.toByteArray());
  }

  private static String json(AuditVerification verification, Optional<Broken> broken) {
    return Json.object(
        json ->
            json.put("verified", broken.isEmpty())
                .put("records", verification.chain().length())
                .put("hash", verification.chain().hash())
                .put("signedRecords", verification.covered())
                .put("signedAt", verification.signedAt())
                .put("brokenAt", broken.map(Broken::sequence))
                .put("why", broken.map(Broken::why)));
  }

  private static String text(ColonyClient client, AuditVerification verification) {
    long records = verification.chain().length();
    long covered = verification.covered();
    String signed =
        covered == 0
            ? "None is signed yet: that happens once an hour."
            : "Signed up to record "
                + covered
                + " at "
                + verification.signedAt().map(Instant::toString).orElse("-")
                + "; "
                + (records - covered)
                + " newer.";
    return "The audit log of colony "
        + client.colony()
        + " is what was recorded: "
        + records
        + " records.\n"
        + signed
        + "\nLast hash: "
        + verification.chain().hash()
        + "\n";
  }
}
