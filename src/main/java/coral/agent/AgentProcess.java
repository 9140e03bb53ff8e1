package coral.agent;

import com.typesafe.config.Config;
import java.io.PrintStream;
import java.time.InstantSource;

/** Runs an agent in the foreground. */
public final class AgentProcess {
  private AgentProcess() {}

  /**
   * Joins the colony and stays until the process gets SIGTERM or SIGINT, or until there is a reason
   * to stop. Whatever the end, the interface is removed before this returns.
   *
   * @param config the whole configuration, for the actor system
   * @param out where {@link AgentSettings#report} is written; the log goes elsewhere
   * @return the exit code: 0 after a signal, or after a join with {@link AgentSettings#once}; 1
   *     when the agent gave up, after it logged why
   */
  public static int run(
      AgentSettings settings, Config config, InstantSource clock, PrintStream out) {
    throw new UnsupportedOperationException("not built yet");
  }
}
