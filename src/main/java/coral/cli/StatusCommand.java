package coral.cli;

import coral.api.colony.v1.GetStatusResponse;
import java.io.PrintWriter;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code coral status}. */
@Command(
    name = "status",
    description = "How a running colony is.",
    footer = {
      "JSON: {colonyId, appName, environment, status, problems[], version, startedAt,",
      "uptimeSeconds, agents, allocatedAddresses, addressCapacity, meshIpv4, meshIpv6,",
      "meshSubnetIpv4, meshSubnetIpv6, wireguardPubkey, caFingerprint, storageBytes};",
      "times are ISO 8601 in UTC.",
      "",
      "Examples:",
      "  coral status",
      "  coral status --endpoint 192.0.2.7:9000 -o json"
    })
final class StatusCommand implements Callable<Integer> {
  @ParentCommand private @Nullable CoralCommand root;
  @Spec private @Nullable CommandSpec spec;
  @Mixin private QueryOptions options = new QueryOptions();

  @Override
  public Integer call() {
    GetStatusResponse status = options.connect(CoralCommand.of(root)).status();
    PrintWriter out = CoralCommand.out(spec);
    out.print(options.json() ? json(status) + "\n" : text(status));
    out.flush();
    return CommandLine.DONE;
  }

  static String json(GetStatusResponse status) {
    return Json.object(
        json ->
            json.put("colonyId", status.getColonyId())
                .put("appName", status.getAppName())
                .put("environment", status.getEnvironment())
                .put("status", status.getStatus())
                .putStrings("problems", status.getProblemsList())
                .put("version", status.getVersion())
                .put("startedAt", Times.instant(status.getStartedAt()))
                .put("uptimeSeconds", status.getUptimeSeconds())
                .put("agents", status.getAgentCount())
                .put("allocatedAddresses", status.getAllocatedAddresses())
                .put("addressCapacity", status.getAddressCapacity())
                .put("meshIpv4", status.getMeshIpv4())
                .put("meshIpv6", status.getMeshIpv6())
                .put("meshSubnetIpv4", status.getMeshSubnetIpv4())
                .put("meshSubnetIpv6", status.getMeshSubnetIpv6())
                .put("wireguardPubkey", status.getWireguardPubkey())
                .put("caFingerprint", status.getCaFingerprint())
                .put("storageBytes", status.getStorageBytes()));
  }

  static String text(GetStatusResponse status) {
    StringBuilder text = new StringBuilder();
    line(text, "colony", status.getColonyId());
    line(text, "application", application(status));
    line(text, "status", status.getStatus());
    status.getProblemsList().forEach(problem -> line(text, "problem", problem));
    line(text, "up for", HumanTime.twoUnits(Duration.ofSeconds(status.getUptimeSeconds())));
    line(text, "since", Times.instant(status.getStartedAt()).map(Instant::toString).orElse(""));
    line(text, "agents", status.getAgentCount() + " connected");
    line(
        text,
        "addresses",
        status.getAllocatedAddresses() + " of " + status.getAddressCapacity() + " allocated");
    line(text, "mesh", status.getMeshSubnetIpv4() + ", " + status.getMeshSubnetIpv6());
    line(text, "own addresses", status.getMeshIpv4() + ", " + status.getMeshIpv6());
    line(text, "WireGuard key", status.getWireguardPubkey());
    line(text, "authority", status.getCaFingerprint());
    line(text, "storage", HumanTime.bytes(status.getStorageBytes()));
    line(text, "version", status.getVersion());
    return text.toString();
  }

  private static String application(GetStatusResponse status) {
    return status.getEnvironment().isEmpty()
        ? status.getAppName()
        : status.getAppName() + " (" + status.getEnvironment() + ")";
  }

  private static void line(StringBuilder text, String name, String value) {
    text.append(String.format("%-15s%s%n", name, value.isEmpty() ? "-" : Table.printable(value)));
  }
}
