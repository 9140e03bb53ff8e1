package coral.cli;

import coral.model.ColonyId;
import coral.proxy.ProxyDirectory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code coral context remove}. */
@Command(
    name = "remove",
    description = {
      "Forget a colony that lives elsewhere: its roots, and the certificate and key to ask it.",
      "",
      "The certificate stays good; an administrator ends it with 'coral revoke-agent'. A colony"
          + " that lives in the folder itself, with its keys and its database, is never removed."
    },
    footer = {
      "JSON: {colonyId}.",
      "",
      "Examples:",
      "  coral context remove my-app-production-4f21aa"
    })
final class ContextRemoveCommand implements Callable<Integer> {
  /** What only a colony itself has. */
  private static final List<String> OF_A_COLONY =
      List.of(
          ColonyStartCommand.SETTINGS,
          "colony.duckdb",
          "ca.json",
          "ca-key.pem",
          "owner-key.pem",
          "wireguard.key",
          "secret");

  @Mixin private ContextOptions options = new ContextOptions();

  @Parameters(
      paramLabel = "COLONY",
      converter = ColonyOptions.ColonyIdConverter.class,
      description = "Its id.")
  private @Nullable ColonyId colony;

  @Override
  public Integer call() throws IOException {
    CoralHome home = options.root().home();
    ColonyId id = options.existing(Objects.requireNonNull(colony, "demanded by the parser"));
    Path folder = home.colony(id);
    requireNoColony(id, folder);
    requireNoProxy(home, id);
    boolean gone = PortableContext.delete(folder);
    if (home.current().equals(Optional.of(id))) {
      home.useNone();
    }
    if (!gone) {
      options.err().println("There are other files in " + folder + "; they are left alone.");
    }
    return options.answer(
        Json.object(json -> json.put("colonyId", id.value())),
        screen -> "Colony " + id + " is forgotten here.\n");
  }

  /** Whether the colony itself lives in a folder. */
  static Optional<Path> ofAColony(Path folder) {
    return OF_A_COLONY.stream().map(folder::resolve).filter(Files::exists).findFirst();
  }

  private static void requireNoColony(ColonyId id, Path folder) {
    Optional<Path> own = ofAColony(folder);
    if (own.isPresent()) {
      throw new CommandFailedException(
          "colony " + id + " itself lives in " + folder + ": there is " + own.get().getFileName(),
          "Nothing was removed. Its keys cannot be made again: if nobody needs the colony any more,"
              + " stop it,\nand remove the folder yourself.");
    }
  }

  private static void requireNoProxy(CoralHome home, ColonyId id) throws IOException {
    if (ProxyDirectory.of(home.directory(), id).running().isPresent()) {
      throw new CommandFailedException(
          "a proxy of colony " + id + " is running",
          "Stop it first: 'coral proxy stop " + id + "'.");
    }
  }
}
