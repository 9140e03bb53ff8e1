package coral.agent;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/** Something that happened to the agent, for its report. */
sealed interface AgentEvent {
  /**
   * A step of a join is done.
   *
   * @param detail what it brought, for people; empty if the step says it all
   */
  record StepDone(JoinStep step, Duration took, String detail) implements AgentEvent {}

  /**
   * A step failed, or the session ended.
   *
   * @param retryIn empty if the agent stops
   */
  record Failed(JoinStep step, JoinFailure failure, Optional<Duration> retryIn)
      implements AgentEvent {}

  /** The agent is a member and its session is open; again after each time it was lost. */
  record Joined(JoinReport report, JoinResult result) implements AgentEvent {}

  /** The session has ended; {@link Failed} says what is done about it. */
  record SessionLost(JoinFailure reason) implements AgentEvent {}

  /** There is a new certificate; {@link Joined} follows when it is in use. */
  record Renewed(Credentials credentials) implements AgentEvent {
    /** Hexadecimal. */
    String certificateSerial() {
      return credentials.identity().certificate().getSerialNumber().toString(16);
    }

    Instant certificateNotAfter() {
      return credentials.identity().certificate().getNotAfter().toInstant();
    }
  }

  record Probed(ProbeResult result) implements AgentEvent {}

  /** The listener on this host forwards, from now on, or elsewhere than before. */
  record Forwarding(Route route) implements AgentEvent {}

  /** The last event. */
  record Stopped(Optional<JoinFailure> reason) implements AgentEvent {}
}
