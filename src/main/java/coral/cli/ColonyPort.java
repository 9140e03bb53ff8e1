package coral.cli;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import coral.model.Endpoint;
import java.nio.file.Path;

/** Where the colony of a folder answers on this host. */
final class ColonyPort {
  private static final String KEY = "coral.colony.listen.port";

  /** As in {@code colony.conf} of the application. */
  private static final int DEFAULT = 9000;

  private ColonyPort() {}

  /**
   * Reads just the colony's own settings file: the whole configuration would take longer than the
   * query.
   */
  static Endpoint endpoint(Path folder) {
    Path file = folder.resolve(ColonyStartCommand.SETTINGS);
    try {
      Config own = ConfigFactory.parseFile(file.toFile());
      return new Endpoint("127.0.0.1", own.hasPath(KEY) ? own.getInt(KEY) : DEFAULT);
    } catch (ConfigException | IllegalArgumentException e) {
      throw new CommandFailedException(
          "the port in " + file + " cannot be read: " + e.getMessage(),
          "Mend it, or say where the colony answers with --endpoint HOST:PORT.",
          e);
    }
  }
}
