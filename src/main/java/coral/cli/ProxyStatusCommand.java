package coral.cli;

import coral.model.Endpoint;
import coral.proxy.ProxyState;
import coral.proxy.Way;
import java.io.PrintWriter;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code coral proxy status}. */
@Command(
    name = "status",
    description = "Show the proxies that run on this host, and where each of them forwards to.",
    footer = {
      "JSON: {proxies: [{colonyId, proxyId, pid, embedded, listen, tls, status, reason, since,",
      "startedAt, way, forwardsTo, fallback, role, meshIpv4, meshIpv6, colonyMeshIpv4,",
      "colonyMeshIpv6, interface, colonyConnectPort}]}; status is connecting, connected or"
          + " offline;",
      "what is not known is null. Times are ISO 8601 in UTC.",
      "",
      "Exit code 1 if the proxy that was asked for does not run.",
      "",
      "Examples:",
      "  coral proxy status",
      "  coral proxy status my-app-a3f2e1 -o json"
    })
final class ProxyStatusCommand implements Callable<Integer> {
  @Spec private @Nullable CommandSpec spec;

  @Parameters(
      paramLabel = "COLONY",
      arity = "0..1",
      description = "Whose proxy (default: all that run).")
  private @Nullable String colony;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FORMAT",
      defaultValue = "table",
      description = "table (the default), json or yaml.")
  private OutputFormat output = OutputFormat.TABLE;

  @Override
  public Integer call() {
    ProxyChoice choice = new ProxyChoice(CoralCommand.root(spec).home());
    List<ProxyState> running = new ArrayList<>(choice.running());
    if (colony != null) {
      String named = choice.choose(Optional.of(colony)).colonyId().value();
      running.removeIf(state -> !state.colonyId().value().equals(named));
      if (running.isEmpty()) {
        throw ProxyChoice.none(" of " + named);
      }
    }
    PrintWriter out = CoralCommand.out(spec);
    out.print(
        output.isStructured()
            ? output.document(json(running))
            : text(running, InstantSource.system().instant()));
    out.flush();
    return CommandLine.DONE;
  }

  static String json(List<ProxyState> proxies) {
    return Json.object(json -> json.putObjects("proxies", proxies, ProxyStatusCommand::fields));
  }

  private static void fields(Json json, ProxyState proxy) {
    Optional<ProxyState.Mesh> mesh = proxy.mesh();
    json.put("colonyId", proxy.colonyId().value())
        .put("proxyId", proxy.proxyId().value())
        .put("pid", proxy.process().pid())
        .put("embedded", proxy.isEmbedded())
        .put("listen", proxy.listen().toString())
        .put("tls", proxy.isSecure())
        .put("status", proxy.status().toString())
        .put("reason", proxy.reason())
        .put("since", proxy.since())
        .put("startedAt", proxy.startedAt())
        .put("way", proxy.way().map(way -> way.name().toLowerCase(Locale.ROOT)))
        .put("forwardsTo", proxy.forwardsTo())
        .put("fallback", proxy.fallback())
        .put("role", proxy.role().map(role -> role.wireName()))
        .put("meshIpv4", mesh.map(ProxyState.Mesh::ipv4))
        .put("meshIpv6", mesh.map(ProxyState.Mesh::ipv6))
        .put("colonyMeshIpv4", mesh.map(ProxyState.Mesh::colonyIpv4))
        .put("colonyMeshIpv6", mesh.map(ProxyState.Mesh::colonyIpv6))
        .put("interface", mesh.map(ProxyState.Mesh::interfaceName).filter(name -> !name.isEmpty()));
    mesh.ifPresentOrElse(
        known -> json.put("colonyConnectPort", known.connectPort()),
        () -> json.putNull("colonyConnectPort"));
  }

  /** RFD 005, "CLI Commands". */
  static String text(List<ProxyState> proxies, Instant now) {
    if (proxies.isEmpty()) {
      return "No proxy is running. Start one with 'coral proxy start COLONY'.\n";
    }
    StringBuilder text = new StringBuilder("Active Proxies:\n");
    for (ProxyState proxy : proxies) {
      text.append("  ").append(proxy.colonyId()).append('\n');
      List<String> lines = lines(proxy, now);
      for (int i = 0; i < lines.size(); i++) {
        text.append(i == lines.size() - 1 ? "    └─ " : "    ├─ ")
            .append(Table.printable(lines.get(i)))
            .append('\n');
      }
    }
    return text.toString();
  }

  private static List<String> lines(ProxyState proxy, Instant now) {
    List<String> lines = new ArrayList<>();
    lines.add("Listening: " + listening(proxy.listen()) + (proxy.isSecure() ? " (TLS)" : ""));
    proxy
        .mesh()
        .ifPresent(
            mesh -> {
              lines.add(
                  "Colony: "
                      + new Endpoint(mesh.colonyIpv4(), mesh.connectPort())
                      + " / "
                      + new Endpoint(mesh.colonyIpv6(), mesh.connectPort()));
              lines.add(
                  "Mesh IPs: "
                      + mesh.ipv4()
                      + " / "
                      + mesh.ipv6()
                      + (mesh.interfaceName().isEmpty() ? "" : " on " + mesh.interfaceName()));
            });
    lines.add("Status: " + status(proxy));
    if (proxy.way().equals(Optional.of(Way.PUBLIC))) {
      lines.add(
          "Way: "
              + proxy.forwardsTo().map(Endpoint::toString).orElse("-")
              + " over the public port, because "
              + proxy.fallback().orElse("it was asked for"));
    }
    lines.add(
        "Role: "
            + proxy.role().map(role -> role.wireName()).orElse("-")
            + " as "
            + proxy.proxyId()
            + (proxy.isEmbedded() ? " (part of that agent)" : ""));
    lines.add("PID: " + proxy.process().pid());
    lines.add("Uptime: " + HumanTime.twoUnits(Duration.between(proxy.startedAt(), now)));
    return lines;
  }

  private static String status(ProxyState proxy) {
    String name = proxy.status().toString();
    return Character.toUpperCase(name.charAt(0))
        + name.substring(1)
        + proxy.reason().map(reason -> ": " + reason).orElse("");
  }

  /** As people type it. */
  static String listening(Endpoint listen) {
    return (listen.host().equals("127.0.0.1") ? new Endpoint("localhost", listen.port()) : listen)
        .toString();
  }
}
