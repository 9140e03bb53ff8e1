package coral.cli;

import coral.discovery.DiscoveryProcess;
import java.io.IOException;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.ParentCommand;

/** {@code coral discovery start}. */
@Command(
    name = "start",
    description = {
      "Run the discovery service in the foreground until SIGTERM.",
      "",
      "At its first start it makes a TLS key and prints the fingerprint of its certificate, which"
          + " colonies pin. What there is to set: discovery.conf in Coral's sources."
    },
    footer = {"Examples:", "  coral discovery start", "  coral discovery start --log-format json"})
final class DiscoveryStartCommand implements Callable<Integer> {
  @ParentCommand private @Nullable DiscoveryCommand parent;
  @Mixin private Foreground foreground = new Foreground();

  @Override
  public Integer call() throws IOException {
    if (parent == null) {
      throw new IllegalStateException("not run by its parser");
    }
    return DiscoveryProcess.run(
        foreground.configuration(parent.root().configFile().stream().toList()));
  }
}
