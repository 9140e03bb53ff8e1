package coral.agent;

import java.time.Duration;
import java.util.Optional;

/**
 * Why a step failed, or a session ended.
 *
 * @param message one sentence for people, without secrets; says what to do where that is known
 * @param retryAfter how long whoever refused asks to be left alone
 */
record JoinFailure(Kind kind, String message, Optional<Duration> retryAfter) {

  JoinFailure(Kind kind, String message) {
    this(kind, message, Optional.empty());
  }

  /** What to do about a failure. */
  enum Remedy {
    RETRY,
    /** Only people can mend it, and nothing else is to be done meanwhile. */
    RETRY_SLOWLY,
    STOP
  }

  /** Each with its behaviour, before the agent is a member and afterwards. */
  enum Kind {
    DISCOVERY_UNREACHABLE(Remedy.RETRY),
    COLONY_UNKNOWN(Remedy.RETRY),
    COLONY_UNREACHABLE(Remedy.RETRY),
    COLONY_NOT_READY(Remedy.RETRY),
    SESSION_LOST(Remedy.RETRY),
    TUNNEL_SILENT(Remedy.RETRY),
    TOO_MANY_REQUESTS(Remedy.RETRY),
    /** Each attempt has a token of its own: the next one may be younger, or better known. */
    TOKEN_REFUSED(Remedy.RETRY),
    POOL_EXHAUSTED(Remedy.RETRY_SLOWLY),
    WRONG_PIN(Remedy.STOP),
    WRONG_SECRET(Remedy.STOP),
    INVITATION_REFUSED(Remedy.STOP),
    CREDENTIALS_MISSING(Remedy.STOP),
    CERTIFICATE_EXPIRED(Remedy.STOP),
    CERTIFICATE_REFUSED(Remedy.STOP),
    AGENT_ID_TAKEN(Remedy.STOP),
    /** The colony has frozen or revoked the identity. */
    IDENTITY_SUSPENDED(Remedy.STOP),
    WIREGUARD_KEY_TAKEN(Remedy.STOP),
    /** The colony has a session of this agent with another WireGuard key. */
    CONNECTED_ELSEWHERE(Remedy.STOP),
    REFUSED(Remedy.STOP),
    FILES_FAILED(Remedy.STOP),
    DEVICE_FAILED(Remedy.STOP),
    DEFECT(Remedy.STOP),
    /** The interface is gone for good: only a new process makes another. */
    DEVICE_LOST(Remedy.STOP, Remedy.STOP),
    /** Told by a session: the host is no member any more, and only people can make it one. */
    REVOKED(Remedy.RETRY_SLOWLY, Remedy.RETRY_SLOWLY),
    /** A newer session of the same agent took over: two agents run with one identity. */
    SUPERSEDED(Remedy.STOP, Remedy.STOP),
    /** The addresses were given back. */
    DEREGISTERED(Remedy.STOP, Remedy.STOP);

    private final Remedy joining;
    private final Remedy member;

    /** A member's tunnel works: it is not torn down for a failure of the control connection. */
    Kind(Remedy joining) {
      this(joining, joining == Remedy.STOP ? Remedy.RETRY_SLOWLY : joining);
    }

    Kind(Remedy joining, Remedy member) {
      this.joining = joining;
      this.member = member;
    }

    Remedy remedy(boolean isMember) {
      return isMember ? member : joining;
    }
  }

  /** An exception that nobody foresaw. */
  static JoinFailure defect(Throwable cause) {
    return new JoinFailure(Kind.DEFECT, "a defect of the agent: " + cause);
  }
}
