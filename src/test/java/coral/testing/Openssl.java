package coral.testing;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** The openssl of the machine, for a second opinion on what Coral signs. */
public final class Openssl {
  private Openssl() {}

  /** Skips the test if there is none, or fails it where one is required. */
  public static void require() throws InterruptedException {
    boolean isInstalled;
    try {
      isInstalled = new ProcessBuilder("openssl", "version").start().waitFor() == 0;
    } catch (IOException e) {
      isInstalled = false;
    }
    Requirements.OPENSSL.check(isInstalled, "openssl is not installed");
  }

  /** What openssl says to these arguments, on both of its outputs, whether it succeeds or not. */
  public static String run(String... arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of("openssl"));
    command.addAll(List.of(arguments));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    process.getOutputStream().close();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    process.waitFor();
    return output;
  }
}
