package coral.agent;

import coral.agent.ProxyNotStartedException.Reason;
import coral.proxy.ProxyDirectory;
import coral.proxy.ProxyState;
import java.io.IOException;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What one proxy of a colony has on this host at a time: its folder. */
final class ProxyLease implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ProxyLease.class);

  private final ProxyDirectory directory;
  private final ProxyDirectory.Lock lock;

  private ProxyLease(ProxyDirectory directory, ProxyDirectory.Lock lock) {
    this.directory = directory;
    this.lock = lock;
  }

  /**
   * Takes the folder, and clears what a proxy has left there that was killed.
   *
   * @throws ProxyNotStartedException RUNNING or FILES
   */
  static ProxyLease take(AgentSettings settings) {
    ProxyDirectory directory = ProxyDirectory.of(settings.home(), settings.colonyId());
    try {
      Optional<ProxyDirectory.Lock> lock = directory.lock();
      if (lock.isEmpty()) {
        throw new ProxyNotStartedException(
            Reason.RUNNING,
            "a proxy of colony " + settings.colonyId() + " runs already" + where(directory));
      }
      try {
        clear(directory);
      } catch (IOException e) {
        lock.get().close();
        throw e;
      }
      return new ProxyLease(directory, lock.get());
    } catch (IOException e) {
      throw new ProxyNotStartedException(Reason.FILES, String.valueOf(e.getMessage()), e);
    }
  }

  private static void clear(ProxyDirectory directory) throws IOException {
    Optional<ProxyState> left = directory.state();
    if (left.isPresent()) {
      LOG.info(
          "The former proxy (PID {}) has not ended properly; its state is cleared",
          left.get().process().pid());
      directory.clear();
    }
  }

  private static String where(ProxyDirectory directory) throws IOException {
    return directory
        .running()
        .map(state -> " on " + state.listen() + " (PID " + state.process().pid() + ")")
        .orElse("");
  }

  ProxyDirectory directory() {
    return directory;
  }

  /** Nothing of the proxy is left but its certificate and its log. */
  @Override
  public void close() {
    try {
      directory.clear();
      lock.close();
    } catch (IOException e) {
      LOG.warn("The state of the proxy could not be removed: {}", String.valueOf(e.getMessage()));
    }
  }
}
