package coral.agent;

import coral.agent.observation.Observation;
import coral.wireguard.PeerStatistics;
import java.util.Optional;

/** The agent's end of a session. No method blocks. */
interface SessionStream extends AutoCloseable {
  /**
   * What the colony is told at an interval.
   *
   * @param sequence from 1 up
   * @param tunnel empty while the colony is no peer
   * @param probe what was probed since the last heartbeat
   */
  record Heartbeat(long sequence, Optional<PeerStatistics> tunnel, Optional<ProbeResult> probe) {}

  /** Sends a heartbeat; one that finds the stream blocked is dropped, the next says it all. */
  void send(Heartbeat heartbeat);

  /** Tells what this host is connected to; one that finds the stream blocked is dropped. */
  void report(Observation observation);

  /** Tells that this version of the trust bundle is on disk. */
  void acknowledgeBundle(long version);

  /** Ends the session. */
  @Override
  void close();
}
