package coral.rpc;

import coral.model.Failure;
import coral.model.RefusedException;
import java.net.InetSocketAddress;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Who makes a call, as the connection proved it, and for whom, as a proxy says.
 *
 * @param role in which the call is made: of a call for somebody else the lesser of both roles
 * @param name the id in the certificate, or that of whom the call is made for; empty for {@link
 *     Role#ANYONE}
 * @param certificate the verified certificate of whom the call is for; empty for {@link
 *     Role#ANYONE}, and of a call for somebody else: whoever holds one renews it by calling himself
 * @param remote where the call comes from: the connection's address, or what a trusted proxy said;
 *     port 0 where that is not told
 * @param requestId what the call is known by in records
 * @param speaker who speaks for the caller; empty if it speaks for itself
 */
public record Caller(
    Role role,
    Optional<String> name,
    Optional<X509Certificate> certificate,
    InetSocketAddress remote,
    String requestId,
    Optional<Speaker> speaker) {
  /**
   * Names in a request for whom it is made: {@code <role>/<name>}. Anybody with a certificate may
   * say so, because it only ever takes something away.
   */
  public static final String HEADER = "coral-caller";

  private static final Pattern FOR = Pattern.compile("([a-z]{1,16})/([a-z0-9][a-z0-9._-]{0,62})");

  /** From the one that may do the least; a proxy may what a viewer may. */
  private static final List<Role> RANKS = List.of(Role.VIEWER, Role.OPERATOR, Role.ADMINISTRATOR);

  /**
   * Who speaks for a caller.
   *
   * @param role in its certificate
   * @param name in its certificate
   * @param of the role that it says the caller has
   */
  public record Speaker(Role role, String name, Role of) {}

  /** A caller that speaks for itself. */
  Caller(
      Role role,
      Optional<String> name,
      Optional<X509Certificate> certificate,
      InetSocketAddress remote,
      String requestId) {
    this(role, name, certificate, remote, requestId, Optional.empty());
  }

  /** A caller that showed no certificate. */
  public static Caller anyone(InetSocketAddress remote, String requestId) {
    return new Caller(Role.ANYONE, Optional.empty(), Optional.empty(), remote, requestId);
  }

  /**
   * Whom this caller makes a call for.
   *
   * @param named the values of {@value #HEADER}
   * @return the caller itself if there are none
   * @throws RefusedException INVALID_ARGUMENT if that is malformed or names a member of the mesh,
   *     which calls itself; UNAUTHENTICATED if the caller has shown no certificate
   */
  Caller speakingFor(List<String> named) {
    if (named.isEmpty()) {
      return this;
    }
    Matcher parts = FOR.matcher(named.get(0));
    Optional<Role> of = parts.matches() ? Role.ofCertificate(parts.group(1)) : Optional.empty();
    if (named.size() > 1 || of.isEmpty() || !RANKS.contains(of.get())) {
      throw new RefusedException(
          Failure.INVALID_ARGUMENT,
          HEADER + " is one of viewer, operator and admin, a slash, and a name");
    }
    if (role == Role.ANYONE) {
      throw new RefusedException(
          Failure.UNAUTHENTICATED, "only who shows a certificate speaks for somebody else");
    }
    int lesser = Math.min(Math.max(RANKS.indexOf(role), 0), RANKS.indexOf(of.get()));
    return new Caller(
        RANKS.get(lesser),
        Optional.of(parts.group(2)),
        Optional.empty(),
        remote,
        requestId,
        Optional.of(new Speaker(role, name.orElse(""), of.get())));
  }

  /**
   * Who it is, as its certificate says, such as {@code admin/root}; {@code anyone} without one. Of
   * a call for somebody else both: {@code proxy/laptop for viewer/ada}.
   */
  public String actor() {
    String own =
        speaker.map(Speaker::of).orElse(role).wireName() + name.map(n -> "/" + n).orElse("");
    return speaker.map(s -> s.role().wireName() + "/" + s.name() + " for " + own).orElse(own);
  }

  /** Role, name and address: fit for a log line. */
  @Override
  public String toString() {
    String own = role + name.map(n -> " " + n).orElse("") + " from " + remote;
    return speaker.map(s -> s.role() + " " + s.name() + " for " + own).orElse(own);
  }
}
