package coral.rpc;

import java.net.InetSocketAddress;
import java.security.cert.X509Certificate;
import java.util.Optional;

/**
 * Who makes a call, as the connection proved it.
 *
 * @param name the id in the certificate; empty for {@link Role#ANYONE}
 * @param certificate the verified certificate; empty for {@link Role#ANYONE}
 * @param remote where the call comes from: the connection's address, or what a trusted proxy said;
 *     port 0 where that is not told
 * @param requestId what the call is known by in records
 */
public record Caller(
    Role role,
    Optional<String> name,
    Optional<X509Certificate> certificate,
    InetSocketAddress remote,
    String requestId) {
  /** A caller that showed no certificate. */
  public static Caller anyone(InetSocketAddress remote, String requestId) {
    return new Caller(Role.ANYONE, Optional.empty(), Optional.empty(), remote, requestId);
  }

  /** Who it is, as its certificate says, such as {@code admin/root}; {@code anyone} without one. */
  public String actor() {
    return role.wireName() + name.map(n -> "/" + n).orElse("");
  }

  /** Role, name and address: fit for a log line. */
  @Override
  public String toString() {
    return role + name.map(n -> " " + n).orElse("") + " from " + remote;
  }
}
