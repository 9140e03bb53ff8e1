package coral.cli;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import coral.model.ColonyId;
import coral.model.Endpoint;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A colony whose folder is on this host, as a query sees it. Only what a query needs is read of the
 * settings: to load the whole configuration would take longer than the query.
 *
 * @param folder with the certificates of its authority and its administrator
 * @param endpoint where it answers on this host
 */
record LocalColony(ColonyId id, Path folder, Endpoint endpoint) {
  private static final String ID = "coral.colony.id";
  private static final String DIRECTORY = "coral.colony.directory";
  private static final String PORT = "coral.colony.listen.port";

  /** Overrides {@link #PORT}, as in {@code colony.conf} of the application. */
  private static final String PORT_VARIABLE = "CORAL_COLONY_PORT";

  /** As in {@code colony.conf} of the application. */
  private static final int DEFAULT_PORT = 9000;

  /**
   * The colony in the folder given, else the one named, else the one of {@code --config}, else the
   * only one under {@code CORAL_HOME}.
   *
   * @throws CommandFailedException if there is none, no telling which, or its settings make no
   *     sense
   */
  static LocalColony choose(CoralCommand root, Optional<ColonyId> named, Optional<Path> directory) {
    Config given = ConfigFactory.empty();
    if (root.configFile().isPresent()) {
      given = parse(root.configFile().get());
    }
    if (directory.isPresent()) {
      return in(directory.get(), named, given, root.environment());
    }
    if (named.isEmpty() && !text(given, DIRECTORY).isEmpty()) {
      return in(Path.of(text(given, DIRECTORY)), named, given, root.environment());
    }
    CoralHome home = root.home();
    Optional<ColonyId> wanted = named;
    if (wanted.isEmpty() && !text(given, ID).isEmpty()) {
      wanted = Optional.of(id(text(given, ID)));
    }
    ColonyId chosen = home.choose(wanted);
    Path folder = home.colony(chosen);
    return new LocalColony(chosen, folder, endpoint(given, own(folder), root.environment()));
  }

  /** The folder's own settings say whose it is. */
  private static LocalColony in(
      Path folder, Optional<ColonyId> named, Config given, Map<String, String> environment) {
    Path settings = folder.resolve(ColonyStartCommand.SETTINGS);
    if (!Files.isRegularFile(settings)) {
      throw new CommandFailedException(
          "there is no colony in " + folder, "Name the folder that 'coral init --dir' made.");
    }
    Config own = own(folder);
    ColonyId found = id(text(own, ID));
    if (named.isPresent() && !named.get().equals(found)) {
      throw new CommandFailedException(
          "the colony in " + folder + " is " + found + ", not " + named.get(),
          "Leave --colony out, or name another folder.");
    }
    return new LocalColony(found, folder, endpoint(given, own, environment));
  }

  private static Config own(Path folder) {
    Path settings = folder.resolve(ColonyStartCommand.SETTINGS);
    return Files.exists(settings) ? parse(settings) : ConfigFactory.empty();
  }

  private static Config parse(Path file) {
    if (!Files.isReadable(file)) {
      throw new CommandFailedException(
          file + " cannot be read", "Check the name, and that you may read it.");
    }
    try {
      return ConfigFactory.parseFile(file.toFile());
    } catch (ConfigException e) {
      throw unreadable(String.valueOf(e.getMessage()), e);
    }
  }

  private static String text(Config config, String key) {
    try {
      return config.hasPath(key) ? config.getString(key) : "";
    } catch (ConfigException e) { // such as: a substitution that only the whole configuration has
      throw unreadable(String.valueOf(e.getMessage()), e);
    }
  }

  private static ColonyId id(String text) {
    try {
      return new ColonyId(text);
    } catch (IllegalArgumentException e) {
      throw unreadable(ID + ": " + e.getMessage(), e);
    }
  }

  private static Endpoint endpoint(Config given, Config own, Map<String, String> environment) {
    @Nullable String variable = environment.get(PORT_VARIABLE);
    String port = variable != null ? variable : text(given.withFallback(own), PORT);
    try {
      return new Endpoint("127.0.0.1", port.isEmpty() ? DEFAULT_PORT : Integer.parseInt(port));
    } catch (IllegalArgumentException e) {
      throw unreadable("the colony's port is '" + port + "'", e);
    }
  }

  private static CommandFailedException unreadable(String what, Exception cause) {
    return new CommandFailedException(
        what, "Mend it, or say which colony with --colony and where with --endpoint.", cause);
  }
}
