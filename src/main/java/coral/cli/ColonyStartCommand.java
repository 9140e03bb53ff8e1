package coral.cli;

import com.typesafe.config.Config;
import coral.colony.ColonyProcess;
import coral.model.ColonyId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** {@code coral colony start}. */
@Command(
    name = "start",
    description = {
      "Run a colony in the foreground until SIGTERM.",
      "",
      "Its settings are those of its own colony.conf, which 'coral init' made; over them those of"
          + " --config, then CORAL_* variables. What there is to set, and the variables' names:"
          + " colony.conf in Coral's sources."
    },
    footer = {
      "Examples:",
      "  coral colony start                              the only one under CORAL_HOME",
      "  coral colony start --colony my-app-dev-a3f2e1",
      "  coral colony start --config /srv/colony/colony.conf       made with init --dir"
    })
final class ColonyStartCommand implements Callable<Integer> {
  /** The name of a colony's own settings file in its folder. */
  static final String SETTINGS = "colony.conf";

  @ParentCommand private @Nullable ColonyCommand parent;
  @Mixin private Foreground foreground = new Foreground();

  @Option(
      names = "--colony",
      paramLabel = "ID",
      converter = QueryOptions.ColonyIdConverter.class,
      description = "Which one (default: the only one under CORAL_HOME).")
  private @Nullable ColonyId colony;

  @Override
  public Integer call() throws IOException {
    if (parent == null) {
      throw new IllegalStateException("not run by its parser");
    }
    CoralCommand coral = parent.root();
    return ColonyProcess.run(configuration(coral));
  }

  private Config configuration(CoralCommand coral) {
    List<Path> files = new ArrayList<>(coral.configFile().stream().toList());
    if (colony == null) {
      Config given = foreground.configuration(files);
      if (!given.getString("coral.colony.id").isEmpty()) {
        return withItsOwn(given, files, coral);
      }
    }
    ColonyId chosen = coral.home().choose(Optional.ofNullable(colony));
    foreground.set("coral.colony.id", chosen.value());
    return withItsOwn(foreground.configuration(files), files, coral);
  }

  /** Lays everything over the colony's own settings file, if there is one and it was not given. */
  private Config withItsOwn(Config config, List<Path> files, CoralCommand coral) {
    String directory = config.getString("coral.colony.directory");
    Path own =
        (directory.isEmpty()
                ? coral
                    .home()
                    .directory()
                    .resolve("colonies")
                    .resolve(config.getString("coral.colony.id"))
                : Path.of(directory))
            .resolve(SETTINGS);
    if (!Files.exists(own) || files.stream().anyMatch(file -> isSame(file, own))) {
      return config;
    }
    files.add(own);
    return foreground.configuration(files);
  }

  private static boolean isSame(Path one, Path other) {
    try {
      return Files.isSameFile(one, other);
    } catch (IOException e) {
      return false;
    }
  }
}
