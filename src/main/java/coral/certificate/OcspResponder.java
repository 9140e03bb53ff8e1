package coral.certificate;

import java.io.IOException;
import java.nio.ByteBuffer;
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
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.nist.NISTObjectIdentifiers;
import org.bouncycastle.asn1.ocsp.CertID;
import org.bouncycastle.asn1.oiw.OIWObjectIdentifiers;
import org.bouncycastle.asn1.x509.Extensions;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.ocsp.BasicOCSPRespBuilder;
import org.bouncycastle.cert.ocsp.CertificateID;
import org.bouncycastle.cert.ocsp.CertificateStatus;
import org.bouncycastle.cert.ocsp.OCSPException;
import org.bouncycastle.cert.ocsp.OCSPRespBuilder;
import org.bouncycastle.cert.ocsp.RespID;
import org.bouncycastle.cert.ocsp.RevokedStatus;
import org.bouncycastle.cert.ocsp.UnknownStatus;

/**
 * Answers whether single certificates are still good (RFC 6960), bytes to bytes. Thread-safe.
 *
 * <p>For each issuer it makes a key of its own, which lives in memory for days, and has the issuer
 * certify it: to answer strangers takes no signature by an authority's key. What is answered to a
 * question without a nonce is kept, and given to others who ask the same (RFC 5019, section 2.2).
 */
public final class OcspResponder {
  /** A request for sixteen certificates with all its names has less. */
  public static final int MAX_REQUEST_BYTES = 4096;

  /** RFC 6960, section A.1. */
  public static final String REQUEST_TYPE = "application/ocsp-request";

  /** RFC 6960, section A.2. */
  public static final String RESPONSE_TYPE = "application/ocsp-response";

  /** How long an answer without a nonce may be believed: a revocation is hidden for no longer. */
  private static final Duration LIFETIME = Duration.ofHours(1);

  /** What is left of an answer's lifetime when it is signed anew, at least. */
  private static final Duration MIN_LEFT = LIFETIME.dividedBy(2);

  /** One for every certificate of a large colony; each takes two kilobytes. */
  static final int MAX_READY = 10_000;

  private record Delegate(Issuer issuer, Instant renewal) {}

  /** An answer that was signed before, and what it says. */
  @SuppressWarnings("ArrayRecordComponent") // compared by nobody
  private record Ready(
      X509Certificate issuer, RevocationSource.Status status, Instant at, byte[] answer) {}

  private final Authority authority;
  private final RevocationSource source;
  private final InstantSource clock;
  private final Map<X509Certificate, Delegate> delegates = new ConcurrentHashMap<>();

  /** Least recently asked for first; guarded by itself. */
  private final Map<ByteBuffer, Ready> ready =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<ByteBuffer, Ready> eldest) {
          return size() > MAX_READY;
        }
      };

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
      OcspQuestion question = OcspQuestion.parse(request);
      Issuer issuer = issuer(question);
      Instant now = clock.instant().truncatedTo(ChronoUnit.SECONDS);
      Optional<byte[]> before = signedBefore(question, issuer, now);
      return before.isPresent() ? before.get() : answer(question, issuer, now);
    } catch (OcspQuestion.RefusedRequestException e) {
      return error(e.status);
    } catch (IllegalStateException e) {
      return error(OCSPRespBuilder.TRY_LATER);
    }
  }

  /**
   * {@link #respond}, as far as it takes no signature: errors, and what was signed before for
   * whoever asks without a nonce, as long as it still says what is so and for half an hour at least
   * may be believed. Microseconds.
   */
  public Optional<byte[]> respondUnsigned(byte[] request) {
    try {
      OcspQuestion question = OcspQuestion.parse(request);
      Instant now = clock.instant().truncatedTo(ChronoUnit.SECONDS);
      return signedBefore(question, issuer(question), now);
    } catch (OcspQuestion.RefusedRequestException e) {
      return Optional.of(error(e.status));
    } catch (IllegalStateException e) {
      return Optional.of(error(OCSPRespBuilder.TRY_LATER));
    }
  }

  /** One answer has one signature: it is that of the issuer of the first, others are unknown. */
  private Issuer issuer(OcspQuestion question) throws OcspQuestion.RefusedRequestException {
    return authority.issuers().stream()
        .filter(known -> isIssuer(known.certificate(), question.asked().get(0)))
        .findFirst()
        .orElseThrow(() -> new OcspQuestion.RefusedRequestException(OCSPRespBuilder.UNAUTHORIZED));
  }

  private Optional<byte[]> signedBefore(OcspQuestion question, Issuer issuer, Instant now) {
    RevocationSource.Status status = known(issuer, question.asked().get(0));
    return question
        .key()
        .map(
            key -> {
              synchronized (ready) {
                return ready.get(key);
              }
            })
        .filter(
            before ->
                before.issuer().equals(issuer.certificate())
                    && before.status().equals(status)
                    && !now.isBefore(before.at())
                    && !now.plus(MIN_LEFT).isAfter(before.at().plus(LIFETIME)))
        .map(Ready::answer);
  }

  private byte[] answer(OcspQuestion question, Issuer issuer, Instant now) {
    Issuer delegate = delegate(issuer, now);
    RevocationSource.Status first = known(issuer, question.asked().get(0));
    try {
      BasicOCSPRespBuilder builder = new BasicOCSPRespBuilder(new RespID(delegate.name()));
      for (CertificateID one : question.asked()) {
        builder.addResponse(
            one, status(issuer, one), Date.from(now), Date.from(now.plus(LIFETIME)));
      }
      question
          .nonce()
          .ifPresent(extension -> builder.setResponseExtensions(new Extensions(extension)));
      X509CertificateHolder[] chain = {
        new X509CertificateHolder(delegate.certificate().getEncoded())
      };
      byte[] answer =
          new OCSPRespBuilder()
              .build(
                  OCSPRespBuilder.SUCCESSFUL,
                  builder.build(delegate.signer(), chain, Date.from(now)))
              .getEncoded();
      keep(question, new Ready(issuer.certificate(), first, now, answer));
      return answer;
    } catch (OCSPException | IOException | java.security.cert.CertificateEncodingException e) {
      throw new IllegalStateException("the answer cannot be encoded", e);
    }
  }

  /** Not of what nobody has issued: strangers can think of as many numbers as they like. */
  private void keep(OcspQuestion question, Ready answer) {
    if (answer.status() instanceof RevocationSource.Status.Unknown) {
      return;
    }
    question
        .key()
        .ifPresent(
            key -> {
              synchronized (ready) {
                ready.put(key, answer);
              }
            });
  }

  private RevocationSource.Status known(Issuer issuer, CertificateID id) {
    return isIssuer(issuer.certificate(), id)
        ? source.status(issuer.certificate().getSubjectX500Principal(), id.getSerialNumber())
        : new RevocationSource.Status.Unknown();
  }

  private CertificateStatus status(Issuer issuer, CertificateID id) {
    RevocationSource.Status status = known(issuer, id);
    if (status instanceof RevocationSource.Status.Revoked revoked) {
      return new RevokedStatus(
          Date.from(revoked.at().truncatedTo(ChronoUnit.SECONDS)), revoked.reason().code());
    }
    return status instanceof RevocationSource.Status.Good
        ? CertificateStatus.GOOD
        : new UnknownStatus();
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
