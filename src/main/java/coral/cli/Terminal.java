package coral.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Model.CommandSpec;

/** The terminal that the answer goes to, if it does. */
final class Terminal {
  private static final Path STANDARD_OUTPUT = Path.of("/proc/self/fd/1");

  private Terminal() {}

  /** Characters in a line; 0 if standard output is no terminal. */
  static int width() {
    return isThere() ? CommandSpec.create().usageMessage().autoWidth(true).width() : 0;
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
