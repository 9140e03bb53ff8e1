package coral.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import picocli.CommandLine.Model.CommandSpec;

/** The terminal that the answer goes to, if it does. */
final class Terminal {
  private static final Path STANDARD_OUTPUT = Path.of("/proc/self/fd/1");

  private Terminal() {}

  /** Standard output as a screen. */
  static Screen screen(ColorChoice choice, Map<String, String> environment) {
    return Screen.of(choice, environment, isThere(), Terminal::size);
  }

  /** Characters in a line; 0 if standard output is no terminal. */
  static int width() {
    return screen(ColorChoice.NEVER, System.getenv()).width();
  }

  /** By the terminal's own account; 0 if it does not say. */
  private static int size() {
    return CommandSpec.create().usageMessage().autoWidth(true).width();
  }

  /** The console of the Java runtime says nothing of standard output alone. */
  private static boolean isThere() {
    try {
      String target = Files.readSymbolicLink(STANDARD_OUTPUT).toString();
      return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty");
    } catch (IOException e) {
      return false;
    }
  }
}
