package coral.cli;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigValueFactory;
import coral.linux.LinuxProcess;
import coral.settings.SettingsLoader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Option;

/** What the commands have in common that run a process until it is told to stop. */
final class Foreground {
  private static final Logger LOG = LoggerFactory.getLogger(Foreground.class);

  @Option(
      names = "--exit-with-parent",
      hidden = true,
      description = "End when standard input ends: the process that started this one is gone.")
  private boolean exitWithParent;

  private final Map<String, Object> settings = new LinkedHashMap<>();

  /** An option decides a setting, if it was given. */
  Foreground set(String key, @Nullable Object value) {
    if (value instanceof Path path) {
      settings.put(key, path.toAbsolutePath().toString());
    } else if (value != null) {
      settings.put(key, value);
    }
    return this;
  }

  /**
   * The configuration of this process: options of the command line, over {@code CORAL_*} variables,
   * over files, over the defaults.
   *
   * @param files each laid over those after it
   */
  Config configuration(List<Path> files) {
    if (exitWithParent) {
      exitWithParent = false;
      watchParent();
    }
    closeNewFilesToOthers();
    Config loaded = SettingsLoader.load(files);
    Config options = ConfigFactory.empty();
    for (Map.Entry<String, Object> setting : settings.entrySet()) {
      options =
          options.withValue(
              setting.getKey(),
              ConfigValueFactory.fromAnyRef(setting.getValue(), "the command line"));
    }
    return options.withFallback(loaded);
  }

  /** Such as the write-ahead log of the database, which its library makes again and again. */
  private static void closeNewFilesToOthers() {
    try {
      LinuxProcess.closeNewFilesToOthers();
    } catch (LinkageError e) {
      LOG.info("New files have the mode that the umask leaves: no native calls ({})", e.toString());
    }
  }

  private static void watchParent() {
    Thread watch =
        new Thread(
            () -> {
              try {
                while (System.in.read() >= 0) {
                  // whatever the parent says, it is alive
                }
              } catch (IOException e) {
                // as good as the end
              }
              System.exit(CommandLine.FAILED);
            },
            "parent-watch");
    watch.setDaemon(true);
    watch.start();
  }
}
