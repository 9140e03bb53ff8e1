package coral.rpc;

import coral.model.AgentId;
import coral.model.ColonyId;
import coral.model.Failure;
import coral.model.RefusedException;
import java.net.InetSocketAddress;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.naming.InvalidNameException;
import javax.naming.ldap.LdapName;
import javax.naming.ldap.Rdn;

/**
 * Reads role and name out of a certificate that TLS has verified. Asked for every call and not once
 * for a connection, because a connection outlives the end of its certificate.
 */
public final class CallerIdentity {
  /** General name {@code uniformResourceIdentifier} (RFC 5280, section 4.2.1.6). */
  private static final int URI_NAME = 6;

  /** Role and id behind the colony in a URI. */
  private static final Pattern PATH = Pattern.compile("([a-z]{1,16})/([^/]{1,63})");

  private final Optional<ColonyId> colonyId;
  private final Predicate<X509Certificate> accepted;
  private final Predicate<X509Certificate> relayed;
  private final InstantSource clock;

  private CallerIdentity(
      Optional<ColonyId> colonyId,
      Predicate<X509Certificate> accepted,
      Predicate<X509Certificate> relayed,
      InstantSource clock) {
    this.colonyId = colonyId;
    this.accepted = accepted;
    this.relayed = relayed;
    this.clock = clock;
  }

  /**
   * Callers of a colony.
   *
   * @param accepted whether a certificate is still good: asked at every call, must not block
   */
  public static CallerIdentity ofColony(
      ColonyId colonyId, Predicate<X509Certificate> accepted, InstantSource clock) {
    return ofColony(colonyId, accepted, accepted, clock);
  }

  /**
   * The same, where to accept a certificate has an effect.
   *
   * @param relayed whether a certificate is still good that a caller has shown to a proxy; without
   *     that effect, because the proxy alone has seen that the caller has its key
   */
  public static CallerIdentity ofColony(
      ColonyId colonyId,
      Predicate<X509Certificate> accepted,
      Predicate<X509Certificate> relayed,
      InstantSource clock) {
    return new CallerIdentity(Optional.of(colonyId), accepted, relayed, clock);
  }

  /** Every caller is {@link Role#ANYONE}: for a service that asks for no certificates. */
  public static CallerIdentity none() {
    return new CallerIdentity(
        Optional.empty(), certificate -> false, certificate -> false, InstantSource.system());
  }

  /**
   * The caller behind a connection.
   *
   * @param certificate the peer's leaf certificate, verified by the handshake
   * @param requestId what the call is known by
   * @throws RefusedException UNAUTHENTICATED for a certificate that has expired, is not accepted,
   *     or does not name somebody of this colony in the form that the colony issues
   */
  public Caller identify(
      Optional<X509Certificate> certificate, InetSocketAddress remote, String requestId) {
    if (certificate.isEmpty() || colonyId.isEmpty()) {
      return Caller.anyone(remote, requestId);
    }
    return identify(certificate.get(), colonyId.get(), accepted, remote, requestId);
  }

  /**
   * Refuses a call for somebody whose certificate is no longer good, if its {@link ClientCertField}
   * is there. Who may make calls for others at all is not asked here.
   *
   * @param caller for whom the call is made
   * @throws RefusedException INVALID_ARGUMENT if the field is malformed, or the call is made for
   *     nobody; UNAUTHENTICATED as of {@link #identify}, or if the certificate is somebody else's
   */
  void requireRelayed(Caller caller, List<String> clientCert) {
    if (clientCert.isEmpty() || colonyId.isEmpty()) {
      return;
    }
    if (clientCert.size() > 1 || caller.speaker().isEmpty()) {
      throw new RefusedException(
          Failure.INVALID_ARGUMENT,
          ClientCertField.NAME + " is there once, and together with " + Caller.HEADER);
    }
    Caller shown =
        identify(
            ClientCertField.decode(clientCert.get(0)),
            colonyId.get(),
            relayed,
            caller.remote(),
            caller.requestId());
    if (shown.role() != caller.speaker().get().of() || !shown.name().equals(caller.name())) {
      throw unauthenticated(
          ClientCertField.NAME + " and " + Caller.HEADER + " name different callers");
    }
  }

  private Caller identify(
      X509Certificate leaf,
      ColonyId colony,
      Predicate<X509Certificate> isGood,
      InetSocketAddress remote,
      String requestId) {
    Instant now = clock.instant();
    if (now.isAfter(leaf.getNotAfter().toInstant())
        || now.isBefore(leaf.getNotBefore().toInstant())) {
      throw unauthenticated("the client certificate is not valid at this time");
    }
    String uri = onlyUri(leaf);
    String prefix = "spiffe://" + colony + "/";
    Matcher path = PATH.matcher(withoutPrefix(uri, prefix));
    Optional<Role> role = path.matches() ? Role.ofCertificate(path.group(1)) : Optional.empty();
    if (role.isEmpty() || !isAgentId(path.group(2))) {
      throw unauthenticated("the client certificate names nobody of this colony");
    }
    String name = path.group(2);
    requireSubject(leaf, "O", colony.value());
    requireSubject(leaf, "CN", name);
    if (!isGood.test(leaf)) {
      throw unauthenticated("the client certificate is no longer accepted");
    }
    return new Caller(role.get(), Optional.of(name), Optional.of(leaf), remote, requestId);
  }

  /**
   * The URIs among a certificate's subject alternative names.
   *
   * @return empty too when the extension is malformed
   */
  public static List<String> uris(X509Certificate certificate) {
    Collection<List<?>> names;
    try {
      names = certificate.getSubjectAlternativeNames();
    } catch (CertificateParsingException e) {
      return List.of(); // malformed: it names nobody
    }
    List<String> uris = new ArrayList<>();
    if (names != null) {
      for (List<?> name : names) {
        if (name.get(0) instanceof Integer type && type == URI_NAME) {
          uris.add(String.valueOf(name.get(1)));
        }
      }
    }
    return uris;
  }

  private static String onlyUri(X509Certificate leaf) {
    List<String> uris = uris(leaf);
    if (uris.size() != 1) {
      throw unauthenticated("the client certificate does not carry exactly one URI");
    }
    return uris.get(0);
  }

  private static String withoutPrefix(String uri, String prefix) {
    return uri.startsWith(prefix) ? uri.substring(prefix.length()) : "";
  }

  private static boolean isAgentId(String name) {
    try {
      return new AgentId(name).value().equals(name);
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  private static void requireSubject(X509Certificate leaf, String attribute, String expected) {
    List<String> values = new ArrayList<>();
    try {
      for (Rdn rdn : new LdapName(leaf.getSubjectX500Principal().getName()).getRdns()) {
        // A relative name of several attributes is not something the colony issues.
        if (rdn.size() == 1 && rdn.getType().equalsIgnoreCase(attribute)) {
          values.add(String.valueOf(rdn.getValue()));
        }
      }
    } catch (InvalidNameException e) {
      throw unauthenticated("the client certificate's subject is malformed");
    }
    if (!values.equals(List.of(expected))) {
      throw unauthenticated("the client certificate's subject and its URI name different callers");
    }
  }

  private static RefusedException unauthenticated(String message) {
    return new RefusedException(Failure.UNAUTHENTICATED, message);
  }
}
