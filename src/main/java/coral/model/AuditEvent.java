package coral.model;

import java.net.InetAddress;
import java.util.regex.Pattern;

/**
 * Something that an audit has to be able to find later: what was done or refused, by whom and why.
 * When it happened is added by whoever keeps it.
 *
 * <p>Every text is made fit to be kept: what is too long is cut, what could not be printed or could
 * pass for another line becomes {@code ?}, and what has the form of a signed token or of a PEM
 * block is left out. {@link Secret}s have no way in, because there is no text of theirs to take.
 *
 * @param actor who did it, as its certificate says ({@code admin/root}); {@link #ANYONE} without
 *     one, {@link #COLONY} for what the colony does by itself
 * @param meshAddress the actor's address within the mesh; empty if it has none
 * @param sourceAddress where the connection came from; empty if there was none
 * @param subject the agent or invitation that it is about; empty if none
 * @param detail what and why, for people
 * @param requestId the request's own; empty if it had none
 */
public record AuditEvent(
    Kind kind,
    String actor,
    String meshAddress,
    String sourceAddress,
    String subject,
    String detail,
    String requestId) {
  /** The actor of what is done without a certificate. */
  public static final String ANYONE = "anyone";

  /** The actor of what the colony does by itself. */
  public static final String COLONY = "colony";

  /** The most characters of a {@link #detail}. */
  public static final int MAX_DETAIL = 512;

  /** The most characters of every other field. */
  public static final int MAX_FIELD = 128;

  /** Controls, invisible formats, lone surrogates and what starts a new line. */
  private static final Pattern UNPRINTABLE =
      Pattern.compile("[\\p{Cc}\\p{Cf}\\p{Cs}\\p{Zl}\\p{Zp}]");

  /**
   * A signed token in its compact form (RFC 7515, section 7.1), or the beginning of a PEM block.
   */
  private static final Pattern CREDENTIAL =
      Pattern.compile("eyJ[A-Za-z0-9_-]{8,}(\\.[A-Za-z0-9_-]*)*|-----BEGIN.*");

  /** What happened. The names are a public format: one that was written once stays. */
  public enum Kind {
    CERTIFICATE_ISSUED("certificate-issued", Outcome.DONE),
    CERTIFICATE_RENEWED("certificate-renewed", Outcome.DONE),
    /** A renewed certificate was used for the first time; the one before it is good no longer. */
    CERTIFICATE_PROMOTED("certificate-promoted", Outcome.DONE),
    CERTIFICATE_REVOKED("certificate-revoked", Outcome.DONE),
    CERTIFICATE_REFUSED("certificate-refused", Outcome.REFUSED),
    /** Two holders of one key, or a takeover: somebody has to look. */
    IDENTITY_FROZEN("identity-frozen", Outcome.DONE),
    /** Somebody without the old key asked for an agent id that is taken. */
    IDENTITY_CONTESTED("identity-contested", Outcome.REFUSED),
    REBIND_ALLOWED("rebind-allowed", Outcome.DONE),
    TOKEN_ISSUED("token-issued", Outcome.DONE),
    TOKEN_SPENT("token-spent", Outcome.DONE),
    TOKEN_REFUSED("token-refused", Outcome.REFUSED),
    INVITATION_CREATED("invitation-created", Outcome.DONE),
    INVITATION_USED("invitation-used", Outcome.DONE),
    INVITATION_REVOKED("invitation-revoked", Outcome.DONE),
    INVITATION_REFUSED("invitation-refused", Outcome.REFUSED),
    SECRET_ROTATED("secret-rotated", Outcome.DONE),
    SECRET_REFUSED("secret-refused", Outcome.REFUSED),
    /** A step of the rotation of the colony's root or of an intermediate. */
    AUTHORITY_CHANGED("authority-changed", Outcome.DONE),
    ADDRESS_ALLOCATED("address-allocated", Outcome.DONE),
    ADDRESS_RELEASED("address-released", Outcome.DONE),
    /** An address is held for an agent that has not come yet. */
    ADDRESS_RESERVED("address-reserved", Outcome.DONE),
    WIREGUARD_KEY_REPLACED("wireguard-key-replaced", Outcome.DONE),
    REGISTRATION_REFUSED("registration-refused", Outcome.REFUSED),
    /** A second stream of an agent took the place of its first. */
    SESSION_SUPERSEDED("session-superseded", Outcome.DONE),
    /** The colony ended an agent's session, such as that of a revoked one. */
    SESSION_ENDED("session-ended", Outcome.DONE),
    /** An agent shows a weaker proof of who it is than before. */
    AUTHENTICATION_WEAKENED("authentication-weakened", Outcome.DONE),
    /** An agent shows a better proof of who it is than before. */
    AUTHENTICATION_STRENGTHENED("authentication-strengthened", Outcome.DONE),
    /** Somebody asks for an address to be taken back; that it was is told by ADDRESS_RELEASED. */
    RELEASE_REQUESTED("release-requested", Outcome.DONE),
    /** Somebody who is more than a member used what its role allows. */
    ROLE_USED("role-used", Outcome.DONE),
    /** A caller asked for what its role does not allow. */
    CALL_REFUSED("call-refused", Outcome.REFUSED),
    CONFIGURATION_CHANGED("configuration-changed", Outcome.DONE),
    COLONY_STARTED("colony-started", Outcome.DONE),
    /** So many refusals came at once that these, a number in the detail, were only counted. */
    REFUSALS_NOT_RECORDED("refusals-not-recorded", Outcome.DONE);

    private final String wireName;
    private final Outcome outcome;

    Kind(String wireName, Outcome outcome) {
      this.wireName = wireName;
      this.outcome = outcome;
    }

    /** The name in the log and in the protocol. */
    public String wireName() {
      return wireName;
    }

    /** Whether something was refused: strangers can cause as many of these as they like. */
    public boolean isRefusal() {
      return outcome == Outcome.REFUSED;
    }

    @Override
    public String toString() {
      return wireName;
    }
  }

  private enum Outcome {
    DONE,
    REFUSED
  }

  public AuditEvent {
    actor = fit(actor, MAX_FIELD);
    meshAddress = fit(meshAddress, MAX_FIELD);
    sourceAddress = fit(sourceAddress, MAX_FIELD);
    subject = fit(subject, MAX_FIELD);
    detail = fit(detail, MAX_DETAIL);
    requestId = fit(requestId, MAX_FIELD);
  }

  /** An event of the colony's own, about nobody: the start of a description. */
  public static AuditEvent of(Kind kind) {
    return new AuditEvent(kind, COLONY, "", "", "", "", "");
  }

  /** The same event, done by {@code actor}. */
  public AuditEvent by(String actor) {
    return new AuditEvent(kind, actor, meshAddress, sourceAddress, subject, detail, requestId);
  }

  /** The same event, by an actor that came from this address. */
  public AuditEvent from(InetAddress source) {
    return from(Addresses.text(source));
  }

  /** The same event, by an actor that came from this address. */
  public AuditEvent from(String source) {
    return new AuditEvent(kind, actor, meshAddress, source, subject, detail, requestId);
  }

  /** The same event, by an actor that has this address in the mesh. */
  public AuditEvent at(InetAddress mesh) {
    return new AuditEvent(
        kind, actor, Addresses.text(mesh), sourceAddress, subject, detail, requestId);
  }

  /** The same event, about this agent. */
  public AuditEvent about(AgentId agentId) {
    return about(agentId.value());
  }

  /** The same event, about this agent or invitation. */
  public AuditEvent about(String subject) {
    return new AuditEvent(kind, actor, meshAddress, sourceAddress, subject, detail, requestId);
  }

  /** The same event, with what and why in words. */
  public AuditEvent detail(String detail) {
    return new AuditEvent(kind, actor, meshAddress, sourceAddress, subject, detail, requestId);
  }

  /** The same event, in answer to this request; empty changes nothing. */
  public AuditEvent request(String requestId) {
    return requestId.isEmpty() ? this : withRequest(requestId);
  }

  /** The same event, whichever request caused it. */
  public AuditEvent ofAnyRequest() {
    return withRequest("");
  }

  private AuditEvent withRequest(String requestId) {
    return new AuditEvent(kind, actor, meshAddress, sourceAddress, subject, detail, requestId);
  }

  private static String fit(String text, int limit) {
    // Cut first: cutting may halve a pair of surrogates, and may shorten a token, not save it.
    String cut = text.length() > limit ? text.substring(0, limit) : text;
    String printable = UNPRINTABLE.matcher(cut).replaceAll("?");
    return CREDENTIAL.matcher(printable).replaceAll("(hidden)");
  }
}
