package coral.cli;

import coral.api.colony.v1.AuthenticationFallback;
import coral.api.colony.v1.GetStatusResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** One colony's status as it is printed. */
final class StatusAnswer {
  private static final List<String> KINDS = List.of("certificate", "token", "colony-secret");

  private StatusAnswer() {}

  static String json(GetStatusResponse status) {
    return Json.object(json -> put(json, status));
  }

  /** The fields of a status, within an object. */
  static void put(Json json, GetStatusResponse status) {
    json.put("colonyId", status.getColonyId())
        .put("appName", status.getAppName())
        .put("environment", status.getEnvironment())
        .put("status", status.getStatus())
        .putStrings("problems", status.getProblemsList())
        .put("version", status.getVersion())
        .put("startedAt", Times.instant(status.getStartedAt()))
        .put("uptimeSeconds", status.getUptimeSeconds())
        .put("agentCount", status.getAgentCount())
        .putObject("agentsByAuthentication", byKind -> put(byKind, kinds(status)))
        .putObjects(
            "authenticationFallbacks",
            status.getAuthenticationFallbacksList(),
            (each, fallback) ->
                each.put("agentId", fallback.getAgentId())
                    .put("at", Times.instant(fallback.getAt()))
                    .put("detail", fallback.getDetail()))
        .put("allocatedAddresses", status.getAllocatedAddresses())
        .put("addressCapacity", status.getAddressCapacity())
        .put("meshIpv4", status.getMeshIpv4())
        .put("meshIpv6", status.getMeshIpv6())
        .put("meshSubnetIpv4", status.getMeshSubnetIpv4())
        .put("meshSubnetIpv6", status.getMeshSubnetIpv6())
        .put("wireguardPubkey", status.getWireguardPubkey())
        .put("caFingerprint", status.getCaFingerprint())
        .put("storageBytes", status.getStorageBytes())
        .put("dashboardUrl", Times.present(status.getDashboardUrl()));
  }

  private static void put(Json json, Map<String, Long> kinds) {
    kinds.forEach(json::put);
  }

  /** The known kinds always, in the order of their worth; then those of a newer colony. */
  private static Map<String, Long> kinds(GetStatusResponse status) {
    Map<String, Long> kinds = new LinkedHashMap<>();
    KINDS.forEach(kind -> kinds.put(kind, 0L));
    kinds.putAll(new TreeMap<>(status.getAgentsByAuthenticationMap()));
    return kinds;
  }

  static String text(GetStatusResponse status) {
    Fields fields =
        new Fields()
            .add("colony", status.getColonyId())
            .add("application", application(status))
            .add("status", status.getStatus());
    status.getProblemsList().forEach(problem -> fields.add("problem", problem));
    status
        .getAuthenticationFallbacksList()
        .forEach(fallback -> fields.add("alert", alert(fallback)));
    return fields
        .add("up for", HumanTime.twoUnits(Duration.ofSeconds(status.getUptimeSeconds())))
        .add("since", Times.instant(status.getStartedAt()).map(Instant::toString).orElse(""))
        .add("agents", status.getAgentCount() + " connected")
        .add("authentication", authentication(status))
        .add(
            "addresses",
            status.getAllocatedAddresses() + " of " + status.getAddressCapacity() + " allocated")
        .add("mesh", status.getMeshSubnetIpv4() + ", " + status.getMeshSubnetIpv6())
        .add("own addresses", status.getMeshIpv4() + ", " + status.getMeshIpv6())
        .add("WireGuard key", status.getWireguardPubkey())
        .add("authority", status.getCaFingerprint())
        .add("storage", HumanTime.bytes(status.getStorageBytes()))
        .add("version", status.getVersion())
        .toString();
  }

  /** How many members there are of each kind: {@code "12 certificate, 1 token"}. */
  private static String authentication(GetStatusResponse status) {
    return kinds(status).entrySet().stream()
        .filter(kind -> kind.getValue() > 0)
        .map(kind -> kind.getValue() + " " + kind.getKey())
        .collect(Collectors.joining(", "));
  }

  private static String alert(AuthenticationFallback fallback) {
    return "agent "
        + fallback.getAgentId()
        + " fell back"
        + Times.instant(fallback.getAt()).map(at -> " at " + at).orElse("")
        + ": "
        + fallback.getDetail();
  }

  private static String application(GetStatusResponse status) {
    return status.getEnvironment().isEmpty()
        ? status.getAppName()
        : status.getAppName() + " (" + status.getEnvironment() + ")";
  }
}
