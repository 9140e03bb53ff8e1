package coral;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Starts a command again with all libraries. The launcher starts queries, which have no effects,
 * with those that they usually need: to open all of them takes longer than the rest of the start.
 */
final class WholeClassPath {
  private static final String PROPERTY = "coral.class-path";

  private WholeClassPath() {}

  /**
   * Runs the command in a process of its own, on this one's standard streams.
   *
   * @param missing why; thrown again if this process had all libraries
   * @return the exit code
   */
  static int execute(NoClassDefFoundError missing, String... arguments)
      throws IOException, InterruptedException {
    @Nullable String whole = System.getProperty(PROPERTY);
    if (whole == null) {
      throw missing;
    }
    List<String> line = new ArrayList<>();
    line.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    line.addAll(List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", whole, "coral.Main"));
    line.addAll(List.of(arguments));
    return new ProcessBuilder(line).inheritIO().start().waitFor();
  }
}
