package coral.session;

import coral.model.ClusterMessage;
import java.time.Duration;

/** What a session tells its stream. */
public sealed interface Notice extends ClusterMessage {
  /**
   * Always the first.
   *
   * @param generation higher than that of every earlier session of the same agent
   */
  record Opened(long generation, Duration heartbeatInterval) implements Notice {}

  /** A heartbeat was taken note of. */
  record HeartbeatReceived(long sequence) implements Notice {}

  /**
   * What the agent has to trust from now on.
   *
   * @param version from 1 on, higher with every change
   * @param certificates all roots, PEM
   * @param crossCertificates roots as another root has signed them, PEM
   */
  record TrustBundle(long version, String certificates, String crossCertificates)
      implements Notice {}

  /** The agent has to renew its certificate now, whatever its time. */
  record RenewCertificate() implements Notice {}

  /** Always the last; the stream ends behind it. */
  record Closed(CloseReason reason) implements Notice {}
}
