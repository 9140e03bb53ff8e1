package coral.cli.quickstart;

import coral.cli.Json;
import coral.colony.ColonyFiles;
import coral.model.Endpoint;
import coral.model.Fingerprint;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What each process of a quickstart is told: what depends on the network in a settings file, the
 * rest on its command line as a user would.
 */
final class ChildSettings {
  private final Path home;
  private final Network network;

  ChildSettings(Path home, Network network) {
    this.home = home;
    this.network = network;
  }

  /** Where discovery puts the certificate that it makes at its first start. */
  Path discoveryCertificate() {
    return home.resolve("discovery").resolve("tls-cert.pem");
  }

  List<String> discoveryArguments() throws IOException {
    Path file =
        write(
            "discovery.conf",
            json ->
                json.putObject(
                    "discovery",
                    settings ->
                        settings
                            .put("host", bindAddress())
                            .put("port", network.ports().discovery())));
    return process(List.of("discovery", "start"), file);
  }

  List<String> colonyArguments(ColonyFiles.Created colony, String discoveryUrl, Fingerprint pin)
      throws IOException {
    Network.Ports ports = network.ports();
    List<String> endpoints = new ArrayList<>();
    for (String address : network.hubAddresses()) {
      endpoints.add(new Endpoint(address, ports.wireGuard()).toString());
    }
    Path file =
        write(
            "colony.conf",
            json ->
                json.putObject(
                    "colony",
                    settings ->
                        settings
                            .putObject(
                                "listen",
                                listen ->
                                    listen.put("host", bindAddress()).put("port", ports.colony()))
                            .putObject(
                                "wireguard",
                                wireGuard ->
                                    wireGuard
                                        .put("port", ports.wireGuard())
                                        .put("device", device()))
                            .putStrings("public-endpoints", endpoints)
                            .putObject(
                                "discovery",
                                discovery ->
                                    discovery
                                        .put("url", discoveryUrl)
                                        .put("fingerprint", pin.value()))
                            .putObject(
                                "management",
                                management -> management.put("port", ports.management()))));
    return process(List.of("colony", "start", "--colony", colony.colonyId().value()), file);
  }

  List<String> agentArguments(
      String agentId, ColonyFiles.Created colony, String discoveryUrl, Fingerprint pin) {
    return List.of(
        "connect",
        colony.colonyId().value(),
        "--agent-id",
        agentId,
        "--colony-secret-file",
        colony.secretFile().toString(),
        "--ca-fingerprint",
        colony.caFingerprint().value(),
        "--discovery",
        discoveryUrl,
        "--discovery-fingerprint",
        pin.value(),
        "--device",
        device(),
        "-o",
        "json",
        "--exit-with-parent");
  }

  /** In namespaces all addresses are the mesh's own; on the host nobody else is to see them. */
  private String bindAddress() {
    return network.hasInterfaces() ? "0.0.0.0" : "127.0.0.1";
  }

  private String device() {
    return network.hasInterfaces() ? "tun" : "user-space";
  }

  private static List<String> process(List<String> command, Path settings) {
    List<String> arguments = new ArrayList<>(command);
    arguments.addAll(List.of("--config", settings.toString(), "--exit-with-parent"));
    return arguments;
  }

  /** JSON is HOCON, too. */
  private Path write(String name, java.util.function.Consumer<Json> settings) throws IOException {
    Path file = home.resolve(name);
    return Files.writeString(
        file, Json.object(json -> json.putObject("coral", settings)), StandardCharsets.UTF_8);
  }
}
