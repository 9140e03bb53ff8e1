package coral.wireguard.embedded;

import java.time.Duration;

/** What the WireGuard whitepaper fixes, and below it what this implementation chose. */
final class Constants {
  private Constants() {}

  // ---- Fixed by the whitepaper, section 6.1: both sides rely on these. ----

  /** Rekey-After-Messages: a session that sent so many is replaced. */
  static final long REKEY_AFTER_MESSAGES = 1L << 60;

  /**
   * Reject-After-Messages, 2^64 - 2^13 - 1, unsigned: a session carries no counter from here on.
   */
  static final long REJECT_AFTER_MESSAGES = -(1L << 13) - 1;

  /** Rekey-After-Time: the initiator replaces an older session when it sends. */
  static final long REKEY_AFTER = seconds(120);

  /** Reject-After-Time: an older session neither sends nor receives. */
  static final long REJECT_AFTER = seconds(180);

  /** Rekey-Attempt-Time: after so long without an answer, a handshake is given up. */
  static final long REKEY_ATTEMPT = seconds(90);

  /** Rekey-Timeout: at most one initiation to a peer in this time, and one more after it. */
  static final long REKEY_TIMEOUT = seconds(5);

  /** Keepalive-Timeout: received data is answered, if by nothing else, by a keepalive. */
  static final long KEEPALIVE = seconds(10);

  /** Section 6.3: keys are forgotten when no session came for three times Reject-After-Time. */
  static final long FORGET_KEYS_AFTER = 3 * REJECT_AFTER;

  // ---- Chosen, as wireguard-go and the Linux kernel chose them. ----

  /** Added to Rekey-Timeout at random, so that two sides do not keep initiating at once. */
  static final long REKEY_TIMEOUT_JITTER = Duration.ofMillis(334).toNanos();

  /** At most 50 initiations a second are taken from one peer. */
  static final long INITIATION_SPACING = seconds(1) / 50;

  /** Packets kept for one peer while its handshake runs; the oldest is dropped for a new one. */
  static final int STAGED_PACKETS_PER_PEER = 64;

  // ---- Chosen here. ----

  /** Packets kept for all peers while their handshakes run: at most 12 MB with the usual MTU. */
  static final int STAGED_PACKETS = 8192;

  /**
   * Handshake messages that wait for the control thread. It does some thousands a second, so this
   * is less than Rekey-Timeout's worth; what comes beyond is dropped and comes again.
   */
  static final int WAITING_HANDSHAKES = 4096;

  /** Events and requests that wait for the control thread; what comes beyond is dropped. */
  static final int WAITING_TASKS = 16_384;

  /** The greatest UDP payload. */
  static final int MAX_DATAGRAM = 65_535;

  /** Of the socket, each way: some milliseconds at 1 Gbit/s, so that a pause drops nothing. */
  static final int SOCKET_BUFFER = 4 << 20;

  private static long seconds(int seconds) {
    return Duration.ofSeconds(seconds).toNanos();
  }
}
