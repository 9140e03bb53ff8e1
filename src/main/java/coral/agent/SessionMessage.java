package coral.agent;

import coral.certificate.TrustBundle;
import coral.model.Endpoint;
import coral.model.WireGuardKey;
import java.time.Duration;
import java.util.List;

/** What comes down a session's stream. */
sealed interface SessionMessage {
  record Opened(long generation, Duration heartbeatInterval) implements SessionMessage {}

  record HeartbeatReceived(long sequence) implements SessionMessage {}

  record ColonyChanged(WireGuardKey key, List<Endpoint> endpoints) implements SessionMessage {
    public ColonyChanged {
      endpoints = List.copyOf(endpoints);
      if (endpoints.isEmpty()) {
        throw new IllegalArgumentException("the colony names no WireGuard endpoint");
      }
    }
  }

  /** The roots that the agent has to trust, all of them; not yet believed. */
  record BundleOffered(TrustBundle bundle) implements SessionMessage {}

  /** The certificate is to be renewed now, whatever its time. */
  record RenewalDemanded() implements SessionMessage {}

  /** The colony, or the network, ended the stream: the last message. */
  record Ended(JoinFailure reason) implements SessionMessage {}
}
