package coral.bench;

import coral.certificate.Authority;
import coral.certificate.CertificateIndex;
import coral.certificate.CertificateProfile;
import coral.certificate.FilledIndex;
import coral.certificate.KeyType;
import coral.model.AgentId;
import coral.model.ColonyId;
import coral.rpc.ClientCertificate;
import coral.rpc.Handshakes;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/**
 * Full handshakes of TLS 1.3 with both sides' certificates, both sides on one core and in memory:
 * with the index of 100,000 agents' certificates, of which every tenth is revoked, and with a check
 * that lets everybody in. The two take turns, so that both meet the same load.
 */
final class HandshakeBenchmark implements Benchmark {
  private static final ColonyId COLONY = new ColonyId("bench-test-a1b2c3");
  private static final int CERTIFICATES = 100_000;
  private static final int TURNS = 20;

  @Override
  public List<Measurement> run(Path directory, Duration time) throws Exception {
    List<Measurement> lines = new ArrayList<>();
    for (KeyType type : List.of(KeyType.RSA_2048, KeyType.P_256)) {
      lines.addAll(handshakes(type, time));
    }
    return lines;
  }

  /** By an authority as a colony makes it: a root and intermediates of RSA-4096. */
  private static List<Measurement> handshakes(KeyType type, Duration time) throws Exception {
    InstantSource clock = InstantSource.system();
    Authority authority = Authority.create(COLONY, clock);
    ClientCertificate server =
        certificate(authority, CertificateProfile.server(COLONY), type, clock);
    ClientCertificate agent =
        certificate(authority, CertificateProfile.agent(COLONY, new AgentId("agent")), type, clock);
    CertificateIndex index =
        FilledIndex.of(authority, new AgentId("agent"), agent.chain().get(0), CERTIFICATES, clock);
    Handshakes bare = handshakes(authority, server, agent, certificate -> true);
    Handshakes checked = handshakes(authority, server, agent, index::acceptsHandshake);

    Repetition.rate(checked::full, time); // compiles the code of both
    double bareRate = 0;
    double checkedRate = 0;
    for (int turn = 0; turn < TURNS; turn++) {
      bareRate += Repetition.rate(bare::full, time.dividedBy(TURNS)) / TURNS;
      checkedRate += Repetition.rate(checked::full, time.dividedBy(TURNS)) / TURNS;
    }
    String what = "full handshakes, leaves of " + type + ", both sides on one core, ";
    return List.of(
        Measurement.of(what + "bare", bareRate, "/s"),
        Measurement.of(what + "checked", checkedRate, "/s"),
        Measurement.of(
                "  checked among 100,000 certificates, of the bare ones",
                100 * checkedRate / bareRate,
                "%")
            .atLeast(95));
  }

  private static Handshakes handshakes(
      Authority authority,
      ClientCertificate server,
      ClientCertificate agent,
      Predicate<X509Certificate> accept) {
    return new Handshakes(
        server, authority.certificate(), accept, "spiffe://" + COLONY + "/colony", agent);
  }

  private static ClientCertificate certificate(
      Authority authority, CertificateProfile profile, KeyType type, InstantSource clock) {
    KeyPair keys = type.generate();
    X509Certificate leaf =
        authority.issue(profile, keys.getPublic(), clock.instant(), Duration.ofDays(90));
    return new ClientCertificate(keys.getPrivate(), authority.chain(leaf));
  }
}
