package coral.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.typesafe.config.ConfigFactory;
import coral.certificate.AuthoritySettings;
import coral.certificate.KeyType;
import coral.colony.ColonyFiles;
import coral.colony.ColonyProcess;
import coral.model.ColonyId;
import coral.model.Endpoint;
import coral.settings.SettingsLoader;
import java.io.IOException;
import java.net.DatagramSocket;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;

/** A colony in this process, on free ports of loopback, in the home where commands look for it. */
final class StartedColony implements AutoCloseable {
  private static final ColonyId ID = new ColonyId("shop-test-a1b2c3");

  private final Path home;
  private final ColonyFiles.Created created;
  private final ColonyProcess process;

  StartedColony(Path home, KeyType type) throws IOException {
    this.home = home;
    AuthoritySettings settings =
        new AuthoritySettings(type, Optional.empty(), Optional.empty(), Optional.empty());
    created =
        ColonyFiles.createIn(
            new CoralHome(home).colony(ID), ID, "shop", "test", settings, InstantSource.system());
    int wireGuardPort = freePort();
    process =
        ColonyProcess.start(
            ConfigFactory.parseMap(
                    Map.of(
                        "coral.colony.directory",
                        created.directory().toString(),
                        "coral.colony.authority.key-type",
                        type == KeyType.P_256 ? "p-256" : "rsa-4096",
                        "coral.colony.listen.host",
                        "127.0.0.1",
                        "coral.colony.listen.port",
                        0,
                        // Where its invitations say it is; the host's own addresses it does not
                        // serve.
                        "coral.colony.public-endpoints",
                        "127.0.0.1:" + wireGuardPort,
                        "coral.colony.wireguard.port",
                        wireGuardPort,
                        "coral.colony.wireguard.device",
                        "user-space",
                        "coral.colony.management.port",
                        0))
                .withFallback(SettingsLoader.load(Optional.of(created.settingsFile()))),
            InstantSource.system());
  }

  /** Agents are told of it before it is open. */
  private static int freePort() throws IOException {
    try (DatagramSocket socket = new DatagramSocket(0)) {
      return socket.getLocalPort();
    }
  }

  ColonyFiles.Created created() {
    return created;
  }

  Endpoint endpoint() {
    return new Endpoint("127.0.0.1", process.rpcAddress().getPort());
  }

  /** Runs a command as the colony's administrator. */
  Cli coral(String... arguments) {
    return Cli.run(
        Map.of(
            "CORAL_HOME",
            home.toString(),
            "CORAL_COLONY_PORT",
            Integer.toString(process.rpcAddress().getPort())),
        arguments);
  }

  /** What a command answers that has to succeed. */
  String done(String... arguments) {
    Cli result = coral(arguments);
    assertEquals(0, result.exitCode(), result.err());
    return result.out();
  }

  /** The same, in JSON. */
  JsonNode json(String... arguments) throws JsonProcessingException {
    return new ObjectMapper().readTree(done(arguments));
  }

  @Override
  public void close() {
    process.close();
  }
}
