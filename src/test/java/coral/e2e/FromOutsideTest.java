package coral.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.testing.Requirements;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * The scripts of {@code deploy/test}: Coral as the tools of others see it. Each says in its head
 * what it shows.
 */
class FromOutsideTest {
  private static final Path SCRIPTS = Path.of("deploy", "test");
  private static final long LONGEST_SCRIPT_MINUTES = 6;

  @TempDir private Path directory;

  @TestFactory
  Stream<DynamicTest> script() throws IOException {
    List<Path> scripts;
    try (Stream<Path> all = Files.list(SCRIPTS)) {
      scripts = all.filter(file -> file.toString().matches(".*/[0-9].*[.]sh")).sorted().toList();
    }
    assertFalse(scripts.isEmpty());
    Path coral = coral();
    return scripts.stream()
        .map(
            script ->
                DynamicTest.dynamicTest(script.getFileName().toString(), () -> run(script, coral)));
  }

  /** What stands for {@code ./coral}: the classes of this process. */
  private Path coral() throws IOException {
    Path launcher = directory.resolve("coral");
    Files.writeString(
        launcher,
        """
        #!/bin/sh
        exec '%s' -Xmx384m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:-UsePerfData -Xshare:auto \\
          -Djdk.tls.rejectClientInitiatedRenegotiation=true -Djava.io.tmpdir='%s' -cp '%s' coral.Main "$@"
        """
            .formatted(
                Path.of(System.getProperty("java.home"), "bin", "java"),
                directory,
                Stream.of(System.getProperty("java.class.path").split(File.pathSeparator, -1))
                    .map(entry -> Path.of(entry).toAbsolutePath().toString())
                    .collect(java.util.stream.Collectors.joining(File.pathSeparator))));
    Files.setPosixFilePermissions(launcher, PosixFilePermissions.fromString("rwx------"));
    return launcher;
  }

  private void run(Path script, Path coral) throws IOException, InterruptedException {
    String text = Files.readString(script);
    if (text.contains("openssl ")) {
      Requirements.OPENSSL.check(isInstalled("openssl"), "there is no openssl");
    }
    if (text.contains("testssl ")) {
      Requirements.TESTSSL.check(isInstalled("testssl"), "there is no testssl");
    }
    if (text.contains("install_clients")) {
      Requirements.NODE.check(
          isInstalled("node") && isInstalled("npm") && isInstalled("curl"),
          "there is no node, npm or curl");
    }
    if (text.contains("browser.mjs")) {
      Requirements.CHROMIUM.check(isInstalled("chromium"), "there is no chromium");
    }
    Path output = directory.resolve(script.getFileName() + ".txt");
    ProcessBuilder builder =
        new ProcessBuilder(script.toAbsolutePath().toString())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile());
    builder.environment().keySet().removeIf(variable -> variable.startsWith("CORAL_"));
    builder.environment().put("CORAL", coral.toString());
    builder.environment().put("TMPDIR", directory.toString());
    Process process = builder.start();
    try {
      assertTrue(
          process.waitFor(LONGEST_SCRIPT_MINUTES, TimeUnit.MINUTES),
          () -> script + " has not come to its end: " + read(output));
      assertEquals(0, process.exitValue(), () -> script + ": " + read(output));
    } finally {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }
  }

  private static boolean isInstalled(String program) {
    return Stream.of(System.getenv("PATH").split(File.pathSeparator, -1))
        .anyMatch(folder -> Files.isExecutable(Path.of(folder, program)));
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      return e.toString();
    }
  }
}
