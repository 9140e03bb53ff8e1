package coral.colony;

import coral.settings.SettingsLoader;
import java.nio.file.Path;
import java.util.Optional;

/** A colony as a process of its own, for tests that stop it from outside. */
final class ColonyMain {
  private ColonyMain() {}

  public static void main(String[] arguments) throws Exception {
    System.exit(ColonyProcess.run(SettingsLoader.load(Optional.of(Path.of(arguments[0])))));
  }
}
