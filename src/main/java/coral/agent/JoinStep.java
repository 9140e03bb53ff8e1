package coral.agent;

import java.time.Duration;
import java.util.Locale;

/**
 * What joining consists of, in order. From {@link #CREATE_INTERFACE} on these are the six steps of
 * RFD 019; those before need the network only.
 */
enum JoinStep {
  FIND_COLONY("find colony"),
  /** Only for a certificate that is bought with the colony's secret. */
  REGISTRATION_TOKEN("registration token"),
  CERTIFICATE("certificate"),
  /** Opens the connection that the registration uses, so that nothing is paid for twice. */
  REACH_COLONY("reach colony"),
  /** No address and no peer yet. */
  CREATE_INTERFACE("create interface"),
  REGISTER("register"),
  ASSIGN_ADDRESSES("assign addresses"),
  ADD_COLONY("add colony as peer"),
  PROBE_TUNNEL("probe tunnel"),
  OPEN_SESSION("open session");

  private final String words;

  JoinStep(String words) {
    this.words = words;
  }

  /** The step in words, as logs and reports name it. */
  String words() {
    return words;
  }

  /** What the log says of it when it is done. */
  String line(Duration took) {
    return String.format(Locale.ROOT, "%s: %.1f ms", words, took.toNanos() / 1e6);
  }
}
