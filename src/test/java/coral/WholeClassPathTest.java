package coral;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A process that lacks most of its libraries, as the launcher starts queries. */
class WholeClassPathTest {
  @TempDir Path home;

  private record Result(int exitCode, String output) {}

  /** Asks for a colony that is not there, which needs settings and so a library. */
  private Result ask(String... options) throws Exception {
    List<String> line = new ArrayList<>();
    line.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    line.addAll(List.of(options));
    line.addAll(List.of("coral.Main", "agents", "--colony", "shop-test-a1b2c3"));
    ProcessBuilder builder = new ProcessBuilder(line).redirectErrorStream(true);
    builder.environment().keySet().removeIf(name -> name.startsWith("CORAL_"));
    builder.environment().put("CORAL_HOME", home.toString());
    Process process = builder.start();
    process.getOutputStream().close();
    String output = new String(process.getInputStream().readAllBytes(), UTF_8);
    return new Result(process.waitFor(), output);
  }

  private static String whole() {
    return System.getProperty("java.class.path");
  }

  private static String few() throws URISyntaxException {
    return String.join(File.pathSeparator, place(Main.class), place(picocli.CommandLine.class));
  }

  private static String place(Class<?> type) throws URISyntaxException {
    return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI()).toString();
  }

  @Test
  void aCommandThatLacksALibraryDoesWhatItDoesWithAll() throws Exception {
    Result withAll = ask("-cp", whole());
    assertEquals(1, withAll.exitCode(), withAll.output());
    assertTrue(withAll.output().contains("shop-test-a1b2c3"), withAll.output());

    assertEquals(withAll, ask("-cp", few(), "-Dcoral.class-path=" + whole()));
  }

  @Test
  void whatIsNowhereIsNotLookedForAgain() throws Exception {
    Result result = ask("-cp", few(), "-Dcoral.class-path=" + few());

    assertEquals(1, result.exitCode(), result.output());
    assertTrue(result.output().contains("NoClassDefFoundError"), result.output());
  }
}
