package coral.certificate;

import java.math.BigInteger;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.security.auth.x500.X500Principal;

/** A source of revocations that is told what happened. */
final class RecordedRevocations implements RevocationSource {
  private record Name(X500Principal issuer, BigInteger serial) {}

  private final Map<Name, Status> known = new HashMap<>();
  private long revision;
  boolean isReady = true;

  void issued(X509Certificate certificate) {
    known.put(name(certificate), new Status.Good());
  }

  void revoked(X509Certificate certificate, Instant at, Reason reason) {
    known.put(name(certificate), new Status.Revoked(at, reason));
    revision++;
  }

  private static Name name(X509Certificate certificate) {
    return new Name(certificate.getIssuerX500Principal(), certificate.getSerialNumber());
  }

  @Override
  public Status status(X500Principal issuer, BigInteger serial) {
    requireReady();
    return known.getOrDefault(new Name(issuer, serial), new Status.Unknown());
  }

  @Override
  public List<Entry> revoked(X500Principal issuer) {
    requireReady();
    List<Entry> revoked = new ArrayList<>();
    known.forEach(
        (name, status) -> {
          if (name.issuer().equals(issuer) && status instanceof Status.Revoked entry) {
            revoked.add(new Entry(name.serial(), entry.at(), entry.reason()));
          }
        });
    return revoked;
  }

  @Override
  public long revision() {
    return revision;
  }

  private void requireReady() {
    if (!isReady) {
      throw new IllegalStateException("the journal has not been read yet");
    }
  }
}
