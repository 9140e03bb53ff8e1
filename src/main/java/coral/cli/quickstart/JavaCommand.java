package coral.cli.quickstart;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The command line of a child: this very runtime and class path, so that a child never builds and
 * never is of another version.
 *
 * @param archives where archives of loaded classes lie, if there are any (see the launcher script)
 * @param archiving whether each child leaves a list there of the classes it loads, of which the
 *     launcher script makes its archive
 */
record JavaCommand(Optional<Path> archives, boolean archiving) {
  /** Set by the launcher script. */
  private static final String ARCHIVES = "coral.archives";

  /** A child lives for minutes, and most of them idle: no optimizing compiler. */
  private static final String STARTS_FAST = "-XX:TieredStopAtLevel=1";

  /** What a child is, which decides its heap and which archive it uses. */
  enum Kind {
    DISCOVERY("discovery", List.of("-Xmx128m", STARTS_FAST)),
    /** Signs with RSA-4096, which is many times faster with the optimizing compiler. */
    COLONY("colony", List.of("-Xmx384m")),
    AGENT("agent", List.of("-Xmx96m", STARTS_FAST)),
    /** What the launcher starts with few libraries. */
    QUERY("query", List.of("-Xmx64m", STARTS_FAST)),
    COMMAND("command", List.of("-Xmx64m", STARTS_FAST));

    private final String archive;

    @SuppressWarnings("ImmutableEnumChecker") // of List.of
    private final List<String> options;

    Kind(String archive, List<String> options) {
      this.archive = archive;
      this.options = options;
    }
  }

  /** As the launcher script started this process. */
  static JavaCommand ofThisProcess(boolean archiving) {
    @Nullable String archives = System.getProperty(ARCHIVES);
    return new JavaCommand(Optional.ofNullable(archives).map(Path::of), archiving);
  }

  /**
   * The whole command line of a child.
   *
   * @param temporaryFiles where libraries unpack what the system must load from files
   */
  List<String> line(Kind kind, Path temporaryFiles, List<String> arguments) {
    List<String> line = new ArrayList<>();
    line.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    line.addAll(kind.options);
    line.addAll(List.of("-XX:+UseSerialGC", "-Xshare:auto"));
    archives.ifPresent(
        directory -> {
          Path archive = directory.resolve(kind.archive + ".jsa");
          if (archiving) {
            // %p is the number of the process: there may be more than one of a kind.
            line.add("-XX:DumpLoadedClassList=" + directory.resolve(kind.archive + ".%p.classes"));
          } else if (Files.isRegularFile(archive)) {
            line.add("-XX:SharedArchiveFile=" + archive);
          }
        });
    line.addAll(
        List.of(
            "-Djava.io.tmpdir=" + temporaryFiles,
            "-Djna.tmpdir=" + temporaryFiles,
            "-XX:-UsePerfData"));
    // An archive that does not fit is not used; that is no news.
    line.addAll(List.of("-Xlog:disable", "-Xlog:all=error:stderr"));
    archives.ifPresent(directory -> line.add("-D" + ARCHIVES + "=" + directory));
    line.addAll(List.of("-cp", classPath(), "coral.Main"));
    line.addAll(arguments);
    return line;
  }

  /** A child works in another folder, where relative entries would lead nowhere. */
  private static String classPath() {
    return Arrays.stream(System.getProperty("java.class.path", "").split(File.pathSeparator))
        .map(entry -> Path.of(entry).toAbsolutePath().toString())
        .collect(Collectors.joining(File.pathSeparator));
  }
}
