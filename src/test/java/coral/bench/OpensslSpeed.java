package coral.bench;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What {@code openssl speed} measures on one core, in the same run as what is compared with it. */
final class OpensslSpeed {
  private OpensslSpeed() {}

  /**
   * Signatures per second.
   *
   * @param algorithm as {@code openssl speed} calls it, such as {@code rsa4096}
   * @throws IOException if there is no openssl, or its table has changed
   */
  static double signatures(String algorithm, Duration time)
      throws IOException, InterruptedException {
    Process openssl =
        new ProcessBuilder(
                "openssl", "speed", "-seconds", Long.toString(time.toSeconds()), algorithm)
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    String table = new String(openssl.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    // The last line: a name, seconds of a signature and of a verification, and both per second.
    Matcher rates =
        Pattern.compile("s +\\d+\\.\\d+s +(\\d+\\.\\d+) +\\d+\\.\\d+\\s*$").matcher(table);
    if (openssl.waitFor() != 0 || !rates.find()) {
      throw new IOException("openssl speed " + algorithm + " said: " + table);
    }
    return Double.parseDouble(rates.group(1));
  }
}
