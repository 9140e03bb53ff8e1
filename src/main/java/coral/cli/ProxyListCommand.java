package coral.cli;

import coral.proxy.ProxyDirectory;
import coral.proxy.ProxyState;
import java.io.PrintWriter;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code coral proxy list}. */
@Command(
    name = "list",
    description = {
      "List the proxies of this user: those that run, and those that have a folder.",
      "",
      "A proxy is connecting, connected or offline; stopped, if it was; or killed, if it has not"
          + " ended properly, which the next start clears."
    },
    footer = {
      "JSON: {proxies: [{colonyId, listen, status, uptimeSeconds, pid}]}; of a proxy that does not",
      "run, uptimeSeconds and pid are null, and of one that was stopped, listen is, too.",
      "",
      "Examples:",
      "  coral proxy list",
      "  coral proxy list -o json"
    })
final class ProxyListCommand implements Callable<Integer> {
  @Spec private @Nullable CommandSpec spec;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FORMAT",
      defaultValue = "table",
      description = "table (the default), json or yaml.")
  private OutputFormat output = OutputFormat.TABLE;

  private record Row(
      String colony,
      Optional<String> listen,
      String status,
      Optional<Duration> uptime,
      Optional<Long> pid) {}

  @Override
  public Integer call() {
    CoralCommand root = CoralCommand.root(spec);
    Instant now = InstantSource.system().instant();
    List<Row> rows =
        new ProxyChoice(root.home()).all().entrySet().stream().map(e -> row(e, now)).toList();
    PrintWriter out = CoralCommand.out(spec);
    out.print(output.isStructured() ? output.document(json(rows)) : text(root, rows));
    out.flush();
    return CommandLine.DONE;
  }

  private static Row row(Map.Entry<ProxyDirectory, Optional<ProxyState>> entry, Instant now) {
    String colony = entry.getKey().colonyId().value();
    if (entry.getValue().isEmpty()) {
      return new Row(colony, Optional.empty(), "stopped", Optional.empty(), Optional.empty());
    }
    ProxyState state = entry.getValue().get();
    Optional<String> listen = Optional.of(ProxyStatusCommand.listening(state.listen()));
    return state.process().isAlive()
        ? new Row(
            colony,
            listen,
            state.status().toString(),
            Optional.of(Duration.between(state.startedAt(), now)),
            Optional.of(state.process().pid()))
        : new Row(colony, listen, "killed", Optional.empty(), Optional.empty());
  }

  private static String json(List<Row> rows) {
    return Json.object(
        json ->
            json.putObjects(
                "proxies",
                rows,
                (fields, row) -> {
                  fields
                      .put("colonyId", row.colony())
                      .put("listen", row.listen())
                      .put("status", row.status());
                  row.uptime()
                      .ifPresentOrElse(
                          uptime -> fields.put("uptimeSeconds", uptime.toSeconds()),
                          () -> fields.putNull("uptimeSeconds"));
                  row.pid()
                      .ifPresentOrElse(pid -> fields.put("pid", pid), () -> fields.putNull("pid"));
                }));
  }

  private static String text(CoralCommand root, List<Row> rows) {
    if (rows.isEmpty()) {
      return "There is no proxy. Start one with 'coral proxy start COLONY'.\n";
    }
    Table table = new Table("COLONY", "LISTENING", "STATUS", "UPTIME").states("STATUS");
    for (Row row : rows) {
      table.row(
          row.colony(),
          row.listen().orElse(""),
          row.status(),
          row.uptime().map(HumanTime::twoUnits).orElse(""));
    }
    return table.on(root.screen());
  }
}
