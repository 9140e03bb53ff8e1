package coral.e2e;

import coral.certificate.Identity;
import coral.colony.ColonyFiles;
import coral.model.Endpoint;
import coral.rpc.ClientCertificate;
import coral.rpc.ClientTls;
import coral.rpc.ConnectClient;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;

/** A colony's files, and how it is started on them and called, again and again. */
record ColonyInstallation(ColonyFiles.Created files, Endpoint endpoint, ChildRuntime runtime)
    implements WitnessAgent.Network {
  /** What it logs once its port is open and everything behind it works. */
  static final String READY = " is ready after ";

  /** Makes a colony, with all that it needs in {@code directory}. */
  static ColonyInstallation in(Path directory) throws IOException {
    return new ColonyInstallation(
        ColonyFiles.create("crash", "test", directory.resolve("home"), InstantSource.system()),
        new Endpoint("127.0.0.1", ChildRuntime.freePort()),
        ChildRuntime.archived(directory));
  }

  ChildProcess start() throws IOException {
    return runtime.startService(
        Map.of(
            // colonies/<colony-id> below it
            "CORAL_HOME", String.valueOf(files.directory().resolve("../..").normalize()),
            "CORAL_COLONY_HOST", "127.0.0.1",
            "CORAL_COLONY_PORT", Integer.toString(endpoint.port()),
            "CORAL_COLONY_DEVICE", "user-space",
            "CORAL_WIREGUARD_PORT", "0",
            "CORAL_MANAGEMENT_PORT", "0",
            "CORAL_CLUSTER_PORT", "0"),
        "colony",
        "start");
  }

  @Override
  public ConnectClient client(Optional<ClientCertificate> as) {
    return ConnectClient.https(
        endpoint,
        ClientTls.pinned(files.caFingerprint(), "spiffe://" + files.colonyId() + "/colony", as),
        Duration.ofSeconds(10),
        Duration.ofSeconds(60));
  }

  @Override
  public String colonySecret() {
    return files.secret().reveal();
  }

  /** A client that is the colony's administrator. */
  ConnectClient administrator() throws IOException {
    Identity identity = Identity.load(files.administratorCertificate(), files.administratorKey());
    return client(Optional.of(new ClientCertificate(identity.key(), identity.chain())));
  }
}
