package coral.certificate;

import java.io.IOException;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.x509.AuthorityKeyIdentifier;
import org.bouncycastle.asn1.x509.Extension;
import org.jspecify.annotations.Nullable;

/** The authorities of a colony at one moment, with those of their keys that are within reach. */
final class Hierarchy {
  private final AuthorityState state;
  private final TrustBundle bundle;
  private final Map<X509Certificate, Issuer> issuers;

  private Hierarchy(AuthorityState state, Map<X509Certificate, Issuer> issuers) {
    this.state = state;
    this.bundle =
        new TrustBundle(
            state.bundleVersion(),
            state.trusted().stream().map(AuthorityState.Root::certificate).toList(),
            state.crosses());
    this.issuers = issuers;
  }

  /**
   * A state with its keys.
   *
   * @throws IOException if a key is there and cannot be used
   * @throws IllegalArgumentException if a key is not that of its certificate
   */
  static Hierarchy of(AuthorityState state, AuthorityKeys keys) throws IOException {
    Map<X509Certificate, Issuer> issuers = new LinkedHashMap<>();
    for (AuthorityState.Root root : state.roots()) {
      add(issuers, root.certificate(), keys.get(root.key()), root.key());
      for (Intermediate intermediate : root.intermediates()) {
        add(issuers, intermediate.certificate(), keys.get(intermediate.key()), intermediate.key());
      }
    }
    return new Hierarchy(state, issuers);
  }

  private static void add(
      Map<X509Certificate, Issuer> issuers,
      X509Certificate certificate,
      Optional<PrivateKey> key,
      String name) {
    if (key.isPresent()) {
      if (!PublicKeys.matches(key.get(), certificate.getPublicKey())) {
        throw new IllegalArgumentException(
            "the private key '" + name + "' is not that of the certificate");
      }
      issuers.put(certificate, new Issuer(certificate, key.get()));
    }
  }

  AuthorityState state() {
    return state;
  }

  TrustBundle bundle() {
    return bundle;
  }

  /** All that can sign: roots and intermediates, present and former. */
  List<Issuer> issuers() {
    return List.copyOf(issuers.values());
  }

  /** Empty if its key is out of reach. */
  Optional<Issuer> issuer(X509Certificate certificate) {
    return Optional.ofNullable(issuers.get(certificate));
  }

  /**
   * Of which a leaf of this kind gets its signature.
   *
   * @throws IllegalStateException if there is none, saying what is missing
   */
  Issuer signing(Intermediate.Kind kind) {
    Intermediate intermediate =
        state
            .signing()
            .intermediate(kind)
            .orElseThrow(
                () ->
                    new IllegalStateException(
                        "the authority has no intermediate for " + kind + " yet"));
    @Nullable Issuer issuer = issuers.get(intermediate.certificate());
    if (issuer == null) {
      throw new IllegalStateException(
          "the private key '" + intermediate.key() + "' of the authority is missing");
    }
    return issuer;
  }

  /** {@link Authority#chain}. */
  List<X509Certificate> chain(X509Certificate leaf) {
    X509Certificate issuer =
        issuerOf(leaf)
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        "not a certificate of the authority of " + state.colonyId()));
    return issuer.getBasicConstraints() == 0 ? List.of(leaf, issuer) : List.of(leaf);
  }

  /** {@link Authority#presented}. */
  List<X509Certificate> presented(X509Certificate leaf) {
    // One that is alone needs nobody's word: who trusts another root is refused anyway.
    List<X509Certificate> crosses =
        bundle.roots().size() < 2 ? List.of() : bundle.crossCertificates();
    return Stream.of(chain(leaf), crosses, bundle.roots()).flatMap(List::stream).toList();
  }

  /** {@link Authority#presents}. */
  boolean presents(List<X509Certificate> chain) {
    X509Certificate signing = signing(Intermediate.Kind.SERVER).certificate();
    return issuerOf(chain.get(0)).equals(Optional.of(signing))
        && presented(chain.get(0)).equals(chain);
  }

  /** {@link Authority#signedClient}. */
  boolean signedClient(X509Certificate leaf) {
    Optional<X509Certificate> issuer = trustedIssuerOfClient(leaf);
    if (issuer.isEmpty() || leaf.getBasicConstraints() != -1) {
      return false;
    }
    try {
      leaf.verify(issuer.get().getPublicKey());
      return true;
    } catch (GeneralSecurityException e) {
      return false;
    }
  }

  /** {@link Authority#issue(CertificateProfile, PublicKey, Instant, Duration, BigInteger)}. */
  X509Certificate issue(
      CertificateProfile profile,
      PublicKey subjectKey,
      Instant notBefore,
      Duration validity,
      BigInteger serial) {
    if (!profile.colonyId().equals(state.colonyId())) {
      throw new IllegalArgumentException(
          "the authority of " + state.colonyId() + " does not sign for " + profile.colonyId());
    }
    if (validity.isNegative() || validity.isZero()) {
      throw new IllegalArgumentException("a certificate's validity is positive, not " + validity);
    }
    Issuer issuer = signing(profile.purpose().issuer());
    Instant from = notBefore.truncatedTo(ChronoUnit.SECONDS);
    Instant issuerEnds = issuer.certificate().getNotAfter().toInstant();
    Instant asked = from.plus(validity).truncatedTo(ChronoUnit.SECONDS);
    Instant until = asked.isAfter(issuerEnds) ? issuerEnds : asked;
    if (!from.isBefore(until)) {
      throw new IllegalStateException(
          issuer.certificate().getSubjectX500Principal()
              + " ended at "
              + issuerEnds
              + "; it is followed by another as soon as the root's key is there");
    }
    return CertificateForm.leaf(issuer, profile, subjectKey, from, until, serial);
  }

  /** {@link Authority#issuesUntil}. */
  Optional<Instant> issuesUntil() {
    List<Instant> ends =
        Stream.of(Intermediate.Kind.values())
            .flatMap(kind -> state.signing().intermediate(kind).stream())
            .map(Intermediate::certificate)
            .filter(issuers::containsKey)
            .map(certificate -> certificate.getNotAfter().toInstant())
            .sorted()
            .toList();
    return ends.size() == Intermediate.Kind.values().length
        ? Optional.of(ends.get(0))
        : Optional.empty();
  }

  /** The name of the key of one of these authorities. */
  String name(X509Certificate certificate) {
    for (AuthorityState.Root root : state.roots()) {
      if (root.certificate().equals(certificate)) {
        return root.key();
      }
      for (Intermediate intermediate : root.intermediates()) {
        if (intermediate.certificate().equals(certificate)) {
          return intermediate.key();
        }
      }
    }
    throw new IllegalArgumentException("not an authority of this colony");
  }

  /** Which of the authorities a certificate names as its issuer; the signature is not verified. */
  Optional<X509Certificate> issuerOf(X509Certificate certificate) {
    return state.certificates().filter(issuer -> names(certificate, issuer)).findFirst();
  }

  /** {@link #issuerOf} among what may sign for clients and is trusted. */
  Optional<X509Certificate> trustedIssuerOfClient(X509Certificate certificate) {
    return state.trusted().stream()
        .flatMap(
            root ->
                Stream.concat(
                    Stream.of(root.certificate()),
                    root.intermediates().stream()
                        .filter(i -> i.kind() == Intermediate.Kind.CLIENT)
                        .map(Intermediate::certificate)))
        .filter(issuer -> names(certificate, issuer))
        .findFirst();
  }

  private static boolean names(X509Certificate certificate, X509Certificate issuer) {
    if (!certificate.getIssuerX500Principal().equals(issuer.getSubjectX500Principal())) {
      return false;
    }
    byte[] wrapped = certificate.getExtensionValue(Extension.authorityKeyIdentifier.getId());
    if (wrapped == null) {
      return false;
    }
    byte[] identifier =
        AuthorityKeyIdentifier.getInstance(ASN1OctetString.getInstance(wrapped).getOctets())
            .getKeyIdentifierOctets();
    return Arrays.equals(identifier, Issuer.keyIdentifier(issuer));
  }
}
