package coral.certificate;

import java.io.IOException;
import java.security.KeyPair;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.Date;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.nist.NISTObjectIdentifiers;
import org.bouncycastle.asn1.ocsp.CertID;
import org.bouncycastle.asn1.ocsp.OCSPObjectIdentifiers;
import org.bouncycastle.asn1.ocsp.OCSPRequest;
import org.bouncycastle.asn1.oiw.OIWObjectIdentifiers;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.Extensions;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.ocsp.BasicOCSPRespBuilder;
import org.bouncycastle.cert.ocsp.CertificateID;
import org.bouncycastle.cert.ocsp.CertificateStatus;
import org.bouncycastle.cert.ocsp.OCSPException;
import org.bouncycastle.cert.ocsp.OCSPReq;
import org.bouncycastle.cert.ocsp.OCSPRespBuilder;
import org.bouncycastle.cert.ocsp.Req;
import org.bouncycastle.cert.ocsp.RespID;
import org.bouncycastle.cert.ocsp.RevokedStatus;
import org.bouncycastle.cert.ocsp.UnknownStatus;

/**
 * Answers whether single certificates are still good (RFC 6960), bytes to bytes. Thread-safe.
 *
 * <p>For each issuer it makes a key of its own, which lives in memory for days, and has the issuer
 * certify it: to answer strangers takes no signature by an authority's key.
 */
public final class OcspResponder {
  /** A request for sixteen certificates with all its names has less. */
  public static final int MAX_REQUEST_BYTES = 4096;

  /** RFC 6960, section A.1. */
  public static final String REQUEST_TYPE = "application/ocsp-request";

  /** RFC 6960, section A.2. */
  public static final String RESPONSE_TYPE = "application/ocsp-response";

  private static final int MAX_CERTIFICATES = 16;

  /** RFC 9654, section 2.1. */
  private static final int MAX_NONCE_BYTES = 128;

  /** How long an answer without a nonce may be believed: a revocation is hidden for no longer. */
  private static final Duration LIFETIME = Duration.ofHours(1);

  private record Delegate(Issuer issuer, Instant renewal) {}

  /** A request that is answered by an error (RFC 6960, section 4.2.1). */
  private static final class RefusedRequestException extends Exception {
    private static final long serialVersionUID = 1L;
    private final int status;

    RefusedRequestException(int status) {
      super("OCSP response status " + status);
      this.status = status;
    }
  }

  private final Authority authority;
  private final RevocationSource source;
  private final InstantSource clock;
  private final Map<X509Certificate, Delegate> delegates = new ConcurrentHashMap<>();

  /** Answers for what an authority has issued, as a source knows it. */
  public OcspResponder(Authority authority, RevocationSource source, InstantSource clock) {
    this.authority = authority;
    this.source = source;
    this.clock = clock;
  }

  /**
   * The answer to a request, of whatever bytes: good, revoked or unknown for each certificate that
   * it names; an error if the request is malformed, longer than {@link #MAX_REQUEST_BYTES}, or
   * about no authority of this colony, or if nothing is known yet.
   */
  public byte[] respond(byte[] request) {
    try {
      return answer(parse(request));
    } catch (RefusedRequestException e) {
      return error(e.status);
    } catch (IllegalStateException e) {
      return error(OCSPRespBuilder.TRY_LATER);
    }
  }

  private static OCSPReq parse(byte[] request) throws RefusedRequestException {
    if (request.length > MAX_REQUEST_BYTES) {
      throw new RefusedRequestException(OCSPRespBuilder.MALFORMED_REQUEST);
    }
    try {
      OCSPRequest structure = OCSPRequest.getInstance(request);
      OCSPReq parsed = new OCSPReq(structure);
      // Read to the end here, where a parser that reads lazily may fail as it likes.
      boolean isExact = Arrays.equals(structure.getEncoded(ASN1Encoding.DER), request);
      int count = parsed.getRequestList().length;
      if (isExact && count >= 1 && count <= MAX_CERTIFICATES && parsed.getVersionNumber() == 1) {
        return parsed;
      }
    } catch (IOException | RuntimeException e) {
      RefusedRequestException refused =
          new RefusedRequestException(OCSPRespBuilder.MALFORMED_REQUEST);
      refused.initCause(e);
      throw refused;
    }
    throw new RefusedRequestException(OCSPRespBuilder.MALFORMED_REQUEST);
  }

  private byte[] answer(OCSPReq request) throws RefusedRequestException {
    final Optional<Extension> nonce = nonce(request);
    Req[] asked = request.getRequestList();
    // One answer has one signature: it is that of the issuer of the first, and others are unknown.
    Issuer issuer =
        authority.issuers().stream()
            .filter(known -> isIssuer(known.certificate(), asked[0].getCertID()))
            .findFirst()
            .orElseThrow(() -> new RefusedRequestException(OCSPRespBuilder.UNAUTHORIZED));
    Instant now = clock.instant().truncatedTo(ChronoUnit.SECONDS);
    Issuer delegate = delegate(issuer, now);
    try {
      BasicOCSPRespBuilder builder = new BasicOCSPRespBuilder(new RespID(delegate.name()));
      for (Req one : asked) {
        builder.addResponse(
            one.getCertID(),
            status(issuer.certificate(), one.getCertID()),
            Date.from(now),
            Date.from(now.plus(LIFETIME)));
      }
      nonce.ifPresent(extension -> builder.setResponseExtensions(new Extensions(extension)));
      X509CertificateHolder[] chain = {
        new X509CertificateHolder(delegate.certificate().getEncoded())
      };
      return new OCSPRespBuilder()
          .build(
              OCSPRespBuilder.SUCCESSFUL, builder.build(delegate.signer(), chain, Date.from(now)))
          .getEncoded();
    } catch (OCSPException | IOException | java.security.cert.CertificateEncodingException e) {
      throw new IllegalStateException("the answer cannot be encoded", e);
    }
  }

  private CertificateStatus status(X509Certificate issuer, CertificateID id) {
    if (!isIssuer(issuer, id)) {
      return new UnknownStatus();
    }
    RevocationSource.Status status =
        source.status(issuer.getSubjectX500Principal(), id.getSerialNumber());
    if (status instanceof RevocationSource.Status.Revoked revoked) {
      return new RevokedStatus(
          Date.from(revoked.at().truncatedTo(ChronoUnit.SECONDS)), revoked.reason().code());
    }
    return status instanceof RevocationSource.Status.Good
        ? CertificateStatus.GOOD
        : new UnknownStatus();
  }

  /** Without extensions or with the nonce alone; one that is critical and not known is not met. */
  private static Optional<Extension> nonce(OCSPReq request) throws RefusedRequestException {
    Extension nonce = request.getExtension(OCSPObjectIdentifiers.id_pkix_ocsp_nonce);
    for (Object critical : request.getCriticalExtensionOIDs()) {
      if (!OCSPObjectIdentifiers.id_pkix_ocsp_nonce.equals(critical)) {
        throw new RefusedRequestException(OCSPRespBuilder.MALFORMED_REQUEST);
      }
    }
    if (nonce == null) {
      return Optional.empty();
    }
    try {
      // Some clients wrap the nonce in an OCTET STRING as they should, some do not.
      int length = nonce.getExtnValue().getOctets().length;
      if (length >= 1 && length <= MAX_NONCE_BYTES + 4) {
        return Optional.of(
            Extension.create(
                OCSPObjectIdentifiers.id_pkix_ocsp_nonce,
                false,
                ASN1OctetString.getInstance(nonce.getExtnValue().getOctets())));
      }
    } catch (IOException | RuntimeException e) {
      RefusedRequestException refused =
          new RefusedRequestException(OCSPRespBuilder.MALFORMED_REQUEST);
      refused.initCause(e);
      throw refused;
    }
    throw new RefusedRequestException(OCSPRespBuilder.MALFORMED_REQUEST);
  }

  /** Whether a request means this issuer: by the hashes of its name and of its key. */
  private static boolean isIssuer(X509Certificate issuer, CertificateID id) {
    CertID structure = id.toASN1Primitive();
    Optional<MessageDigest> digest = digest(structure.getHashAlgorithm().getAlgorithm());
    if (digest.isEmpty()) {
      return false;
    }
    byte[] name = digest.get().digest(issuer.getSubjectX500Principal().getEncoded());
    byte[] key =
        digest
            .get()
            .digest(
                SubjectPublicKeyInfo.getInstance(issuer.getPublicKey().getEncoded())
                    .getPublicKeyData()
                    .getOctets());
    return Arrays.equals(name, id.getIssuerNameHash()) && Arrays.equals(key, id.getIssuerKeyHash());
  }

  /** SHA-1 is what most clients send; here it only finds an issuer, and proves nothing. */
  private static Optional<MessageDigest> digest(ASN1ObjectIdentifier algorithm) {
    String name;
    if (algorithm.equals(OIWObjectIdentifiers.idSHA1)) {
      name = "SHA-1";
    } else if (algorithm.equals(NISTObjectIdentifiers.id_sha256)) {
      name = "SHA-256";
    } else {
      return Optional.empty();
    }
    try {
      return Optional.of(MessageDigest.getInstance(name));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every Java runtime has " + name, e);
    }
  }

  private Issuer delegate(Issuer issuer, Instant now) {
    Delegate delegate =
        delegates.compute(
            issuer.certificate(),
            (unused, present) ->
                present != null && now.isBefore(present.renewal())
                    ? present
                    : certified(issuer, now));
    return delegate.issuer();
  }

  private Delegate certified(Issuer issuer, Instant now) {
    KeyPair keys = KeyType.P_256.generate();
    X509Certificate certificate =
        CertificateForm.responder(issuer, authority.colonyId(), keys.getPublic(), now);
    return new Delegate(
        new Issuer(certificate, keys.getPrivate()),
        now.plus(CertificateForm.RESPONDER_VALIDITY.dividedBy(2)));
  }

  private static byte[] error(int status) {
    try {
      return new OCSPRespBuilder().build(status, null).getEncoded();
    } catch (OCSPException | IOException e) {
      throw new IllegalStateException("an error without an encoding", e);
    }
  }
}
