package coral.bench;

import coral.certificate.Authority;
import coral.certificate.CertificateProfile;
import coral.certificate.KeyType;
import coral.model.AgentId;
import coral.model.ColonyId;
import java.nio.file.Path;
import java.security.PublicKey;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;

/**
 * Certificates of agents, each built, signed, parsed back and checked against its profile; beside
 * the bare signatures that openssl makes.
 */
final class CertificateBenchmark implements Benchmark {
  private static final ColonyId COLONY = new ColonyId("bench-test-a1b2c3");

  /** Of what openssl does. */
  private static final double AIM = 0.8;

  @Override
  public List<Measurement> run(Path directory, Duration time) throws Exception {
    Authority rsa = Authority.create(COLONY, InstantSource.system(), KeyType.RSA_4096);
    Authority p256 = Authority.create(COLONY, InstantSource.system(), KeyType.P_256);
    PublicKey subject = KeyType.RSA_2048.generate().getPublic();
    double openssl = OpensslSpeed.signatures("rsa4096", time);
    return List.of(
        Measurement.of("openssl speed rsa4096, signatures, one core", openssl, "/s"),
        Measurement.of(
                "certificates by RSA-4096, one core",
                Repetition.rate(() -> issue(rsa, subject), time),
                "/s")
            .atLeast(AIM * openssl),
        Measurement.of(
            "certificates by RSA-4096, all processors",
            Repetition.rateOfAll(() -> issue(rsa, subject), time),
            "/s"),
        Measurement.of(
            "openssl speed ecdsap256, signatures, one core",
            OpensslSpeed.signatures("ecdsap256", time),
            "/s"),
        Measurement.of(
            "certificates by P-256, one core",
            Repetition.rate(() -> issue(p256, subject), time),
            "/s"),
        Measurement.of(
            "certificates by P-256, all processors",
            Repetition.rateOfAll(() -> issue(p256, subject), time),
            "/s"));
  }

  private static Object issue(Authority authority, PublicKey subject) {
    Instant now = InstantSource.system().instant();
    return authority.issue(
        CertificateProfile.agent(COLONY, new AgentId("agent")), subject, now, Duration.ofDays(90));
  }
}
