package coral.cli;

import coral.api.colony.v1.GetStatusResponse;
import java.time.InstantSource;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code coral status}. */
@Command(
    name = "status",
    description = {
      "How everything is that is known here: discovery, all colonies, proxies; or one colony.",
      "",
      "Colonies are asked at once, for two seconds at most. The exit code is 0 if all that were"
          + " asked answered."
    },
    footer = {
      "JSON of all: {discoveries: [{url, online, reason, version, uptimeSeconds,",
      "registeredColonies}], colonies: [{colonyId, online, via, endpoint, reason, tried[],"
          + " status}],",
      "proxies: [{colonyId, proxyId, listen, pid, status, reason, way, role, meshIpv4, meshIpv6,",
      "since, startedAt}]}; via is proxy, mesh or public; status is as below, or null.",
      "",
      "JSON of one: {colonyId, appName, environment, status, problems[], version, startedAt,",
      "uptimeSeconds, agentCount, agentsByAuthentication: {certificate, token, colony-secret},",
      "authenticationFallbacks[]: {agentId, at, detail}, allocatedAddresses, addressCapacity,",
      "meshIpv4, meshIpv6, meshSubnetIpv4, meshSubnetIpv6, wireguardPubkey, caFingerprint,",
      "storageBytes, dashboardUrl}; times are ISO 8601 in UTC; what is not known is null.",
      "",
      "Examples:",
      "  coral status",
      "  coral status --colony my-app-production-4f21aa",
      "  coral status --endpoint 192.0.2.7:9000 -o json"
    })
final class StatusCommand implements Callable<Integer> {
  @Mixin private QueryOptions options = new QueryOptions();

  @Override
  public Integer call() {
    if (options.isNamed()) {
      GetStatusResponse status = options.connect().status();
      return options.answer(() -> StatusAnswer.json(status), () -> StatusAnswer.text(status));
    }
    // Without any colony: how to come by one.
    if (options.root().home().colonies().isEmpty()) {
      options.context();
    }
    StatusOverview overview = StatusOverview.ask(options.root(), options.wish());
    options.answer(
        overview::json,
        screen ->
            StatusTree.text(
                overview, options.isVerbose(), InstantSource.system().instant(), screen));
    return overview.isComplete() ? CommandLine.DONE : CommandLine.FAILED;
  }
}
