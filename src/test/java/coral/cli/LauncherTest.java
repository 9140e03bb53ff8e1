package coral.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The script {@code coral}, in a copy of the project in which java and mvn only tell their
 * arguments.
 */
class LauncherTest {
  private static final Instant LONG_AGO = Instant.parse("2020-01-01T00:00:00Z");

  @TempDir Path temporary;
  private Path project;
  private Path jdk;

  private record Result(int exitCode, String out, String err) {}

  @BeforeEach
  void copyProject() throws IOException {
    project = Files.createDirectories(temporary.resolve("a project"));
    jdk = Files.createDirectories(temporary.resolve("jdk"));
    Files.createDirectories(project.resolve("src/main/java"));
    Files.createDirectories(project.resolve("target/app/lib"));
    Files.writeString(project.resolve("pom.xml"), "<project/>");
    executable(project.resolve("coral"), Files.readString(Path.of("coral")));
    executable(jdk.resolve("bin/java"), "#!/bin/sh\nprintf '%s\\n' \"$@\"\n");
    executable(jdk.resolve("bin/javac"), "#!/bin/sh\n");
    executable(temporary.resolve("bin/mvn"), "#!/bin/sh\necho mvn \"$@\" >>../mvn-calls\nexit 1\n");
    javaVersion("17.0.15");
  }

  private void javaVersion(String version) throws IOException {
    Files.writeString(
        jdk.resolve("release"), "IMPLEMENTOR=\"x\"\nJAVA_VERSION=\"" + version + "\"\n");
  }

  /** A build that is newer than all sources. */
  private void build() throws IOException {
    for (Path source :
        List.of(
            project.resolve("pom.xml"),
            project.resolve("src/main/java"),
            project.resolve("src/main"))) {
      Files.setLastModifiedTime(source, FileTime.from(LONG_AGO));
    }
    Files.writeString(project.resolve("target/app/coral.jar"), "");
    Files.writeString(project.resolve("target/app/.built"), "");
  }

  private static void executable(Path file, String content) throws IOException {
    Files.createDirectories(file.getParent());
    Files.writeString(file, content);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private Result run(Path script, String... arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of(script.toString()));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).directory(temporary.toFile());
    builder.environment().put("JAVA_HOME", jdk.toString());
    builder.environment().put("PATH", temporary.resolve("bin") + ":/usr/bin:/bin");
    builder.environment().remove("CORAL_NO_BUILD");
    builder.environment().remove("CORAL_JAVA_OPTS");
    Path err = temporary.resolve("stderr");
    Process process = builder.redirectError(err.toFile()).start();
    process.getOutputStream().close();
    String out = new String(process.getInputStream().readAllBytes(), UTF_8);
    return new Result(process.waitFor(), out, Files.readString(err));
  }

  @ParameterizedTest
  @ValueSource(strings = {"sh", "bash"})
  void theScriptIsOfThisShellsSyntax(String shell) throws IOException, InterruptedException {
    assertEquals(0, new ProcessBuilder(shell, "-n", "coral").start().waitFor());
  }

  @Test
  void aFreshBuildIsStartedFromAnotherFolderThroughLinksWithItsArguments()
      throws IOException, InterruptedException {
    build();
    Path first = Files.createSymbolicLink(temporary.resolve("first"), Path.of("a project/coral"));
    Path second = Files.createSymbolicLink(temporary.resolve("second"), first);
    Result result = run(second, "init", "my app", "--dir", "");
    assertEquals(0, result.exitCode(), result.err());
    assertEquals("", result.err());
    List<String> lines = result.out().lines().toList();
    String app = project.toRealPath().resolve("target/app").toString();
    int main = lines.indexOf("coral.Main");
    assertEquals(app + "/coral.jar:" + app + "/lib/*", lines.get(main - 1));
    assertEquals(List.of("init", "my app", "--dir", ""), lines.subList(main + 1, lines.size()));
    assertFalse(Files.exists(temporary.resolve("mvn-calls")));
  }

  @Test
  void aQueryStartsFastAndAColonyRunsWell() throws IOException, InterruptedException {
    build();
    Path coral = project.resolve("coral");
    assertTrue(run(coral, "status").out().contains("-XX:TieredStopAtLevel=1\n"));
    String colony = run(coral, "--log-format", "json", "colony", "start").out();
    assertFalse(colony.contains("TieredStopAtLevel"), colony);
    assertTrue(colony.contains("-Xmx1g\n"), colony);
    assertFalse(colony.contains("SharedArchiveFile"), colony);
    Files.createDirectories(project.resolve("target/app/archives"));
    Files.writeString(project.resolve("target/app/archives/colony.jsa"), "");
    assertTrue(run(coral, "colony", "start").out().contains("SharedArchiveFile"));
  }

  @Test
  void aQueryStartsWithFewLibrariesAndKnowsWhereTheOthersAre()
      throws IOException, InterruptedException {
    build();
    Path lib = project.resolve("target/app/lib");
    Files.writeString(lib.resolve("picocli-4.7.7.jar"), "");
    Files.writeString(lib.resolve("netty-handler-4.2.jar"), "");
    String app = project.toRealPath().resolve("target/app").toString();
    String few = app + "/coral.jar:" + app + "/lib/picocli-4.7.7.jar";
    Path coral = project.resolve("coral");

    List<String> query = run(coral, "-v", "agents").out().lines().toList();
    assertEquals(few, query.get(query.indexOf("coral.Main") - 1));
    assertTrue(
        query.contains("-Dcoral.class-path=" + few + ":" + app + "/lib/*"), query.toString());

    List<String> one = run(coral, "agent", "show", "web-1").out().lines().toList();
    assertEquals(few, one.get(one.indexOf("coral.Main") - 1));

    for (String other : List.of("reserve", "agent", "init", "colony", "complete", "--help")) {
      List<String> lines = run(coral, other).out().lines().toList();
      assertEquals(few + ":" + app + "/lib/*", lines.get(lines.indexOf("coral.Main") - 1), other);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"pom.xml", "src/main/java/New.java"})
  void aNewerSourceIsBuiltAndAFailedBuildTellsWhereItsLogIs(String source)
      throws IOException, InterruptedException {
    build();
    Files.writeString(project.resolve(source), "");
    Files.setLastModifiedTime(
        project.resolve(source),
        FileTime.fromMillis(
            Files.getLastModifiedTime(project.resolve("target/app/.built")).toMillis() + 1000));
    Result result = run(project.resolve("coral"), "status");
    assertEquals(1, result.exitCode());
    assertEquals("", result.out());
    assertTrue(result.err().contains("coral: building"), result.err());
    assertTrue(result.err().contains("target/build.log"), result.err());
    String calls = Files.readString(temporary.resolve("mvn-calls"));
    assertTrue(calls.contains("mvn -q -B") && calls.contains(" package"), calls);
  }

  @Test
  void anOldJavaIsRefusedWithTheVersionThatIsNeeded() throws IOException, InterruptedException {
    build();
    javaVersion("11.0.2");
    Result result = run(project.resolve("coral"), "status");
    assertEquals(1, result.exitCode());
    assertTrue(result.err().contains("is version 11"), result.err());
    assertTrue(result.err().contains("Java 17 or newer"), result.err());
  }

  @Test
  void aMissingMavenIsNamedWithItsPackage() throws IOException, InterruptedException {
    // A PATH with what the script needs, but without mvn.
    Path bin = Files.createDirectories(temporary.resolve("only"));
    for (String tool :
        List.of("sh", "dirname", "readlink", "find", "head", "mkdir", "touch", "sed", "rm", "mv")) {
      Files.createSymbolicLink(bin.resolve(tool), which(tool));
    }
    ProcessBuilder builder =
        new ProcessBuilder(project.resolve("coral").toString(), "status")
            .directory(temporary.toFile());
    builder.environment().put("JAVA_HOME", jdk.toString());
    builder.environment().put("PATH", bin.toString());
    Process process = builder.redirectErrorStream(true).start();
    String out = new String(process.getInputStream().readAllBytes(), UTF_8);
    assertEquals(1, process.waitFor(), out);
    assertTrue(out.contains("Maven is missing"), out);
    assertTrue(out.contains("apt install maven"), out);
  }

  private static Path which(String tool) {
    for (String folder : List.of("/usr/bin", "/bin")) {
      Path file = Path.of(folder, tool);
      if (Files.exists(file)) {
        return file;
      }
    }
    throw new IllegalStateException("this machine has no " + tool);
  }
}
