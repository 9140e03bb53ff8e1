package coral.testing;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** The firewall of the network namespace that the calling thread is in. */
public final class Nftables {
  /**
   * The state of connections is asked for: from then on the kernel tracks those of both families.
   */
  public static final String TRACK =
      """
      table inet coral {
        chain input {
          type filter hook input priority filter
          ct state established accept
        }
      }
      """;

  private Nftables() {}

  /**
   * Skips the test where the kernel does not track connections, or there is no nft to have it do.
   */
  public static void require() throws Exception {
    Requirements.CONNTRACK.check(
        Files.exists(Path.of("/proc/thread-self/net/nf_conntrack")),
        "this kernel tracks no connections, or does not show them in /proc");
    boolean isInstalled;
    try {
      isInstalled = new ProcessBuilder("nft", "--version").start().waitFor() == 0;
    } catch (IOException e) {
      isInstalled = false;
    }
    Requirements.CONNTRACK.check(isInstalled, "nft is not installed");
  }

  /**
   * Adds these rules, all or none.
   *
   * @throws IOException with what nft says of them
   */
  public static void add(String rules) throws IOException, InterruptedException {
    Process nft = new ProcessBuilder("nft", "-f", "-").redirectErrorStream(true).start();
    try (var input = nft.getOutputStream()) {
      input.write(rules.getBytes(StandardCharsets.UTF_8));
    }
    String said = new String(nft.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (!nft.waitFor(10, TimeUnit.SECONDS) || nft.exitValue() != 0) {
      nft.destroyForcibly();
      throw new IOException("nft: " + said.strip());
    }
  }
}
