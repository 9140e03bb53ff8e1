package coral.certificate;

import coral.model.AgentId;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;

/** An index as it is after the journal of a large colony was read. */
public final class FilledIndex {
  /** Every tenth agent was revoked. */
  private static final int REVOKED = 10;

  private FilledIndex() {}

  /** One agent with this certificate among so many others. */
  public static CertificateIndex of(
      Authority authority,
      AgentId agentId,
      X509Certificate certificate,
      int others,
      InstantSource clock) {
    Instant now = clock.instant();
    CertificateIndex index =
        new CertificateIndex(authority.colonyId(), authority::signedClient, clock);
    for (int i = 0; i < others; i++) {
      AgentIdentity other =
          identity(
              new AgentId("other-" + i),
              SerialNumbers.hex(SerialNumbers.next()),
              "sha256:" + "%064x".formatted(i),
              now);
      index.show(i % REVOKED == 0 ? other.ended(IdentityState.REVOKED, "retired", now) : other);
    }
    index.show(
        identity(
            agentId,
            SerialNumbers.hex(certificate.getSerialNumber()),
            CertificateLedger.fingerprint(certificate).value(),
            now));
    index.completed();
    return index;
  }

  private static AgentIdentity identity(
      AgentId agentId, String serial, String fingerprint, Instant now) {
    return AgentIdentity.claimed(agentId, CertificateRole.AGENT, now)
        .with(
            1,
            new IssuedCertificate(
                agentId,
                serial,
                fingerprint.substring("sha256:".length()),
                fingerprint,
                "CN=issuer",
                "",
                now,
                now.plus(Duration.ofDays(90))))
        .promoted();
  }
}
