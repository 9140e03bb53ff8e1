package coral.colony;

import com.typesafe.config.Config;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.InstantSource;

/** One running colony. */
public final class ColonyProcess implements AutoCloseable {
  private ColonyProcess() {}

  /**
   * Starts a colony and waits until its port is open and everything behind it works.
   *
   * @param config the whole configuration, the colony's own {@code colony.conf} laid over it
   * @throws coral.settings.SettingsException if a setting is wrong
   * @throws IOException if a file, the database, the device or a port cannot be used; the message
   *     is for people. Nothing is left behind then.
   */
  public static ColonyProcess start(Config config, InstantSource clock) throws IOException {
    throw new UnsupportedOperationException("not built yet");
  }

  /**
   * Runs a colony in the foreground until SIGTERM or SIGINT.
   *
   * @return the exit code: 0 after a signal, 1 if the colony stopped by itself, after it logged why
   * @throws coral.settings.SettingsException as {@link #start}
   * @throws IOException as {@link #start}
   */
  public static int run(Config config) throws IOException {
    throw new UnsupportedOperationException("not built yet");
  }

  /** Where the gRPC port is bound. */
  public InetSocketAddress rpcAddress() {
    throw new UnsupportedOperationException("not built yet");
  }

  /** Where {@code /alive} and {@code /ready} are. */
  public InetSocketAddress managementAddress() {
    throw new UnsupportedOperationException("not built yet");
  }

  /** The UDP port of the hub. */
  public int wireGuardPort() {
    throw new UnsupportedOperationException("not built yet");
  }

  /** Tells the agents, drains, removes the device and lets go of the file. Blocks. */
  @Override
  public void close() {
    throw new UnsupportedOperationException("not built yet");
  }
}
