package coral.cli.quickstart;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The command line of a child: this very runtime and class path, so that a child never builds and
 * never is of another version.
 *
 * @param archives where archives of loaded classes lie, if there are any (see the launcher script)
 * @param archiving whether each child leaves such an archive behind when it ends
 */
record JavaCommand(Optional<Path> archives, boolean archiving) {
  /** Set by the launcher script. */
  private static final String ARCHIVES = "coral.archives";

  /** What a child is, which decides its heap and which archive it uses. */
  enum Kind {
    DISCOVERY("discovery", "-Xmx128m"),
    COLONY("colony", "-Xmx384m"),
    AGENT("agent", "-Xmx96m"),
    QUERY("query", "-Xmx64m");

    private final String archive;
    private final String heap;

    Kind(String archive, String heap) {
      this.archive = archive;
      this.heap = heap;
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
    // A child lives for minutes: what starts fast beats what peaks high.
    line.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", kind.heap));
    line.add("-Xshare:auto");
    archives
        .map(directory -> directory.resolve(kind.archive + ".jsa"))
        .ifPresent(
            archive -> {
              if (archiving) {
                line.add("-XX:ArchiveClassesAtExit=" + archive);
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
    line.addAll(List.of("-cp", System.getProperty("java.class.path"), "coral.Main"));
    line.addAll(arguments);
    return line;
  }
}
