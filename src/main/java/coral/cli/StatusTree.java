package coral.cli;

import coral.api.colony.v1.GetStatusResponse;
import coral.api.discovery.v1.HealthResponse;
import coral.proxy.ProxyState;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/** An overview as people read it (RFD 005, "CLI Commands"). */
final class StatusTree {
  private static final String BRANCH = "  ├─ ";
  private static final String LAST_BRANCH = "  └─ ";

  private StatusTree() {}

  static String text(StatusOverview overview, boolean verbose, Instant now, Screen screen) {
    StringBuilder text = new StringBuilder();
    boolean several = overview.discoveries().size() > 1;
    for (StatusOverview.DiscoveryState discovery : overview.discoveries()) {
      text.append("Discovery Service")
          .append(several ? " " + discovery.url() : "")
          .append(": ")
          .append(discovery(discovery, screen))
          .append('\n');
    }
    if (overview.discoveries().isEmpty()) {
      text.append("Discovery Service: none is known here\n");
    }
    for (StatusOverview.ColonyState colony : overview.colonies()) {
      text.append('\n').append(colony(colony, verbose, screen));
    }
    if (!overview.proxies().isEmpty()) {
      text.append('\n').append(proxies(overview.proxies(), now, screen));
    }
    return text.toString();
  }

  private static String discovery(StatusOverview.DiscoveryState discovery, Screen screen) {
    if (discovery.health().isEmpty()) {
      return screen.paint(Paint.BAD, "✗ Offline") + " (" + line(discovery.reason()) + ")";
    }
    HealthResponse health = discovery.health().get();
    int colonies = health.getRegisteredColonies();
    return screen.paint(Paint.GOOD, "✓ Online")
        + " ("
        + colonies
        + (colonies == 1 ? " colony)" : " colonies)");
  }

  private static String colony(StatusOverview.ColonyState colony, boolean verbose, Screen screen) {
    String state =
        colony.status().isPresent()
            ? screen.paint(
                Paint.GOOD,
                "[ONLINE" + colony.route().map(r -> " via " + r.via().words()).orElse("") + "]")
            : screen.paint(Paint.BAD, "[OFFLINE " + line(colony.reason()) + "]");
    List<String> facts = new ArrayList<>();
    colony.status().ifPresent(status -> facts.addAll(facts(status, screen)));
    if (verbose) {
      colony.tried().forEach(tried -> facts.add("Tried: " + line(tried)));
    }
    StringBuilder text = new StringBuilder("Colony: " + colony.id() + " " + state + "\n");
    for (int i = 0; i < facts.size(); i++) {
      text.append(i < facts.size() - 1 ? BRANCH : LAST_BRANCH).append(facts.get(i)).append('\n');
    }
    return text.toString();
  }

  private static List<String> facts(GetStatusResponse status, Screen screen) {
    List<String> facts = new ArrayList<>();
    fact(facts, "App", status.getAppName());
    fact(facts, "Environment", status.getEnvironment());
    facts.add("Status: " + screen.state(line(status.getStatus())));
    status.getProblemsList().forEach(problem -> fact(facts, "Problem", problem));
    fact(facts, "Agents", status.getAgentCount() + " connected");
    fact(facts, "Uptime", HumanTime.twoUnits(Duration.ofSeconds(status.getUptimeSeconds())));
    fact(facts, "Mesh IPs", status.getMeshIpv4() + " / " + status.getMeshIpv6());
    fact(facts, "Dashboard", status.getDashboardUrl());
    fact(facts, "Storage", HumanTime.bytes(status.getStorageBytes()));
    return facts;
  }

  private static void fact(List<String> facts, String name, String value) {
    if (!value.isEmpty()) {
      facts.add(name + ": " + line(value));
    }
  }

  private static String proxies(List<ProxyState> proxies, Instant now, Screen screen) {
    Table table =
        new Table("PROXY", "LISTENING", "STATUS", "WAY", "UPTIME")
            .states("STATUS")
            .expendable("UPTIME", "WAY");
    for (ProxyState proxy : proxies) {
      table.row(
          proxy.colonyId().value(),
          proxy.listen().toString(),
          proxy.status().toString(),
          proxy.way().map(Object::toString).or(proxy::reason).orElse(""),
          HumanTime.twoUnits(Duration.between(proxy.startedAt(), now)));
    }
    return table.on(screen);
  }

  private static String line(String text) {
    return Table.printable(text);
  }
}
