package coral.agent;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/** Something that happened to the agent, for its report. */
sealed interface AgentEvent {
  record StepDone(JoinStep step, Duration took) implements AgentEvent {}

  /**
   * A step failed, or the session ended.
   *
   * @param retryIn empty if the agent stops
   */
  record Failed(JoinStep step, JoinFailure failure, Optional<Duration> retryIn)
      implements AgentEvent {}

  /** The agent is a member and its session is open; again after each time it was lost. */
  record Joined(JoinReport report) implements AgentEvent {}

  /**
   * There is a new certificate; {@link Joined} follows when it is in use.
   *
   * @param certificateSerial hexadecimal
   */
  record Renewed(String certificateSerial, Instant certificateNotAfter) implements AgentEvent {}

  record Probed(ProbeResult result) implements AgentEvent {}

  /** The last event. */
  record Stopped(Optional<JoinFailure> reason) implements AgentEvent {}
}
