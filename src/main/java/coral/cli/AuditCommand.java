package coral.cli;

import com.google.protobuf.Timestamp;
import coral.api.colony.v1.AuditRecord;
import coral.api.colony.v1.ListAuditRecordsRequest;
import coral.api.colony.v1.ListAuditRecordsResponse;
import coral.model.AgentId;
import coral.model.AuditEvent;
import java.io.PrintWriter;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** {@code coral audit}. */
@Command(
    name = "audit",
    description = "What happened to identities: who did or was refused what, when and why.",
    subcommands = AuditVerifyCommand.class,
    footer = {
      "The table is cut at the width of the terminal; what is not on a terminal is never cut.",
      "",
      "JSON: {records: [{sequence, time, kind, actor, meshAddress, sourceAddress, subject,",
      "detail, requestId, hash}]}; with --follow each record is a line of its own. Times are",
      "ISO 8601 in UTC; what is not known is null.",
      "",
      "Examples:",
      "  coral audit --since 1h",
      "  coral audit --agent web-1 --since 2026-05-01",
      "  coral audit --kind certificate-refused --follow -o json | jq -r .sourceAddress",
      "  coral audit verify"
    })
final class AuditCommand implements Callable<Integer> {
  /** A call that waits for records ends well before the client gives up on it. */
  private static final Duration WAIT = Duration.ofSeconds(5);

  @Spec private @Nullable CommandSpec spec;
  @Mixin private QueryOptions options = new QueryOptions();

  @Option(
      names = "--since",
      paramLabel = "TIME",
      defaultValue = "24h",
      converter = SinceConverter.class,
      description =
          "Only what is not older: 90s, 15m, 24h (the default), 7d, 2026-05-01 or"
              + " 2026-05-01T10:00:00Z.")
  private Instant since = Instant.EPOCH;

  @Option(
      names = "--agent",
      paramLabel = "ID",
      converter = AgentIdConverter.class,
      description = "Only what is about this agent, or of its doing.")
  private @Nullable AgentId agent;

  @Option(
      names = "--kind",
      paramLabel = "KIND",
      completionCandidates = Kinds.class,
      converter = KindConverter.class,
      description = "Only of one kind: ${COMPLETION-CANDIDATES}.")
  private @Nullable String kind;

  @Option(
      names = {"-f", "--follow"},
      description = "Go on with what comes, until interrupted.")
  private boolean follow;

  @Override
  public Integer call() {
    ColonyClient client = options.connect();
    PrintWriter out = CoralCommand.out(spec);
    Printed printed =
        options.isStructured()
            ? new Structured(out, follow, options.output())
            : new Lines(out, options.screen().width());
    ListAuditRecordsRequest.Builder request =
        ListAuditRecordsRequest.newBuilder()
            .setSince(Timestamp.newBuilder().setSeconds(since.getEpochSecond()));
    if (agent != null) {
      request.setAgentId(agent.value());
    }
    if (kind != null) {
      request.setKind(kind);
    }
    boolean more = true;
    while (more) {
      ListAuditRecordsResponse page = client.auditRecords(request.build());
      page.getRecordsList().forEach(printed::add);
      out.flush();
      // A person who has gone away has closed the pipe.
      more = (page.getMore() || follow) && !out.checkError();
      request.setAfterSequence(page.getLastSequence());
      if (follow && !page.getMore()) {
        request.setWait(com.google.protobuf.Duration.newBuilder().setSeconds(WAIT.toSeconds()));
      }
    }
    printed.end();
    out.flush();
    return CommandLine.DONE;
  }

  /** What is printed of records, as they come. */
  private interface Printed {
    void add(AuditRecord record);

    void end();
  }

  /** Aligned as far as can be known before all records are. */
  static final class Lines implements Printed {
    private final PrintWriter out;
    private final int width;
    private boolean any;

    /**
     * @param width the most characters of a line; 0 for no limit
     */
    Lines(PrintWriter out, int width) {
      this.out = out;
      this.width = width;
    }

    @Override
    public void add(AuditRecord record) {
      if (!any) {
        print("TIME (UTC)", "KIND", "ACTOR", "ABOUT", "DETAIL");
      }
      any = true;
      print(
          Times.instant(record.getTime())
              .map(time -> time.truncatedTo(ChronoUnit.SECONDS).toString())
              .map(time -> time.replace('T', ' ').replace("Z", ""))
              .orElse("-"),
          record.getKind(),
          actor(record),
          record.getSubject().isEmpty() ? "-" : record.getSubject(),
          record.getDetail());
    }

    private static String actor(AuditRecord record) {
      boolean stranger = record.getActor().equals(AuditEvent.ANYONE);
      return stranger && !record.getSourceAddress().isEmpty()
          ? record.getSourceAddress()
          : record.getActor();
    }

    private void print(String... cells) {
      String line =
          Table.printable(String.format("%-19s  %-22s  %-20s  %-16s  %s", (Object[]) cells))
              .stripTrailing();
      boolean fits = width == 0 || line.length() <= width;
      out.print((fits ? line : line.substring(0, width - 1) + "…") + "\n");
    }

    @Override
    public void end() {
      if (!any) {
        out.print("No such records.\n");
      }
    }
  }

  /** One object in all, or one for each record. */
  static final class Structured implements Printed {
    private static final String JSON_BEGIN = "{\"records\":[";
    private static final String YAML_BEGIN = "records:\n";

    private final PrintWriter out;
    private final boolean each;
    private final OutputFormat format;
    private boolean any;

    Structured(PrintWriter out, boolean each, OutputFormat format) {
      this.out = out;
      this.each = each;
      this.format = format;
    }

    @Override
    public void add(AuditRecord record) {
      String json = json(record);
      if (each) {
        out.print(format.event(json));
      } else if (format == OutputFormat.YAML) {
        String list = format.document(JSON_BEGIN + json + "]}");
        out.print(any ? list.substring(YAML_BEGIN.length()) : list);
      } else {
        out.print((any ? "," : JSON_BEGIN) + json);
      }
      any = true;
    }

    @Override
    public void end() {
      if (each) {
        return;
      }
      if (!any) {
        out.print(format.document(JSON_BEGIN + "]}"));
      } else if (format == OutputFormat.JSON) {
        out.print("]}\n");
      }
    }

    static String json(AuditRecord record) {
      return Json.object(
          json ->
              json.put("sequence", record.getSequence())
                  .put("time", Times.instant(record.getTime()))
                  .put("kind", record.getKind())
                  .put("actor", record.getActor())
                  .put("meshAddress", Times.present(record.getMeshAddress()))
                  .put("sourceAddress", Times.present(record.getSourceAddress()))
                  .put("subject", Times.present(record.getSubject()))
                  .put("detail", record.getDetail())
                  .put("requestId", Times.present(record.getRequestId()))
                  .put("hash", HexFormat.of().formatHex(record.getHash().toByteArray())));
    }
  }

  /** The names of all kinds, for help and completion. */
  static final class Kinds implements Iterable<String> {
    @Override
    public Iterator<String> iterator() {
      return Arrays.stream(AuditEvent.Kind.values()).map(AuditEvent.Kind::wireName).iterator();
    }
  }

  /** A name of {@link Kinds}. */
  static final class KindConverter implements ITypeConverter<String> {
    @Override
    public String convert(String value) {
      for (String known : new Kinds()) {
        if (known.equals(value)) {
          return value;
        }
      }
      throw new TypeConversionException("there is no kind '" + value + "'; see --help");
    }
  }

  /** How long ago, or since when. */
  static final class SinceConverter implements ITypeConverter<Instant> {
    @Override
    public Instant convert(String value) {
      return Since.parse(value, InstantSource.system().instant());
    }
  }
}
