package coral.e2e;

import coral.certificate.Identity;
import coral.colony.ColonyFiles;
import coral.model.Endpoint;
import coral.rpc.ClientCertificate;
import coral.rpc.ClientTls;
import coral.rpc.ConnectClient;
import coral.rpc.RpcException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** A colony's files, and how it is started on them and called, again and again. */
record ColonyInstallation(
    ColonyFiles.Created files,
    Endpoint endpoint,
    ChildRuntime runtime,
    AtomicReference<@Nullable String> invited)
    implements WitnessAgent.Network {
  /** What it logs once its port is open and everything behind it works. */
  static final String READY = " is ready after ";

  /** Makes a colony, with all that it needs in {@code directory}. */
  static ColonyInstallation in(Path directory) throws IOException {
    return in(directory, InstantSource.system());
  }

  /** The same, made at the time of another clock. */
  static ColonyInstallation in(Path directory, InstantSource clock) throws IOException {
    return new ColonyInstallation(
        ColonyFiles.create("crash", "test", directory.resolve("home"), clock),
        new Endpoint("127.0.0.1", ChildRuntime.freePort()),
        ChildRuntime.archived(directory),
        new AtomicReference<>());
  }

  ChildProcess start() throws IOException {
    return runtime.startService(
        Map.ofEntries(
            // colonies/<colony-id> below it
            Map.entry("CORAL_HOME", String.valueOf(files.directory().resolve("../..").normalize())),
            Map.entry("CORAL_COLONY_HOST", "127.0.0.1"),
            Map.entry("CORAL_COLONY_PORT", Integer.toString(endpoint.port())),
            Map.entry("CORAL_COLONY_DEVICE", "user-space"),
            Map.entry("CORAL_WIREGUARD_PORT", "0"),
            Map.entry("CORAL_MANAGEMENT_PORT", "0"),
            Map.entry("CORAL_CLUSTER_PORT", "0")),
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
  public String invitation() throws RpcException {
    String made = invited.get();
    if (made == null) {
      try {
        made = new Administrator(files, endpoint).invite(1_000);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      invited.set(made);
    }
    return made;
  }

  /** A client that is the colony's administrator. */
  ConnectClient administrator() throws IOException {
    Identity identity = Identity.load(files.administratorCertificate(), files.administratorKey());
    return client(Optional.of(new ClientCertificate(identity.key(), identity.chain())));
  }
}
