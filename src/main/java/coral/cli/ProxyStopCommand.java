package coral.cli;

import coral.proxy.ProxyDirectory;
import coral.proxy.ProxyState;
import java.io.IOException;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code coral proxy stop}. */
@Command(
    name = "stop",
    description = {
      "Stop a proxy: it leaves the colony, and its interface is removed.",
      "",
      "Requests that are under way have three seconds to end. Its certificate stays for the next"
          + " start."
    },
    footer = {"Examples:", "  coral proxy stop", "  coral proxy stop my-app-a3f2e1"})
final class ProxyStopCommand implements Callable<Integer> {
  /** What a stop takes at most: three seconds for requests, three to leave the colony, and some. */
  private static final Duration PATIENCE = Duration.ofSeconds(15);

  /** Between two looks; the end of a process that nobody waits for is told by nobody. */
  private static final Duration LOOK = Duration.ofMillis(50);

  @Spec private @Nullable CommandSpec spec;

  @Parameters(
      paramLabel = "COLONY",
      arity = "0..1",
      description = "Whose proxy (default: the only one that runs).")
  private @Nullable String colony;

  @Override
  public Integer call() throws IOException, InterruptedException {
    ProxyChoice proxies = new ProxyChoice(CoralCommand.root(spec).home());
    ProxyDirectory directory = proxies.choose(Optional.ofNullable(colony));
    Optional<ProxyState> state = ProxyChoice.state(directory);
    if (state.isEmpty()) {
      throw ProxyChoice.none(" of " + directory.colonyId());
    }
    ProxyState proxy = state.get();
    if (!proxy.process().isAlive()) {
      directory.clear();
      throw new CommandFailedException(
          "no proxy of "
              + directory.colonyId()
              + " is running: the former one (PID "
              + proxy.process().pid()
              + ") was killed; what it left is cleared",
          "Start one with 'coral proxy start " + directory.colonyId() + " --daemon'.");
    }
    if (proxy.isEmbedded()) {
      throw new CommandFailedException(
          "the proxy of "
              + proxy.colonyId()
              + " is part of the agent "
              + proxy.proxyId()
              + " (PID "
              + proxy.process().pid()
              + ")",
          "Stop that agent, or start it without --enable-proxy.");
    }
    PrintWriter out = CoralCommand.out(spec);
    out.println("Stopping proxy for: " + proxy.colonyId());
    if (proxy.status() == ProxyState.Status.CONNECTED) {
      out.println(" ↳ Unregistering from colony and closing the WireGuard tunnel...");
    } else {
      out.println(
          " ↳ The colony is away ("
              + Table.printable(proxy.reason().orElse("not reached yet"))
              + "): it may keep the proxy's addresses");
    }
    out.flush();
    proxy.process().handle().ifPresent(ProcessHandle::destroy);
    awaitEnd(proxy);
    out.println("✓ Proxy stopped");
    out.flush();
    return CommandLine.DONE;
  }

  private static void awaitEnd(ProxyState proxy) throws InterruptedException {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (true) {
      Optional<ProcessHandle> running = proxy.process().handle();
      if (running.isEmpty()) {
        return;
      }
      if (System.nanoTime() > deadline) {
        throw new CommandFailedException(
            "the proxy (PID " + proxy.process().pid() + ") does not end",
            "'coral proxy logs " + proxy.colonyId() + "' may say why; kill -9 ends it.");
      }
      try {
        running.get().onExit().get(LOOK.toMillis(), TimeUnit.MILLISECONDS);
      } catch (TimeoutException e) {
        // looked at again
      } catch (ExecutionException e) {
        throw new IllegalStateException(e);
      }
    }
  }
}
