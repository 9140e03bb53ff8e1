package coral.certificate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.model.AgentId;
import coral.model.ColonyId;
import coral.model.Failure;
import java.math.BigInteger;
import java.security.KeyPair;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class CertificateIndexTest {
  private static final AgentId WEB = new AgentId("web");
  private static final Duration DAY = Duration.ofDays(1);

  private Instant now = Roots.NOW;
  private final CertificateIndex index =
      new CertificateIndex(Roots.COLONY, Roots.QUICK::signedClient, () -> now);

  @Test
  void aJournaledCertificateIsGoodUntilItEnds() {
    X509Certificate certificate = agent(Roots.QUICK, SerialNumbers.next());
    index.completed();
    assertFalse(index.accepts(certificate), "not journaled");
    index.show(identity(issued(certificate)));
    assertTrue(index.accepts(certificate));
    now = certificate.getNotAfter().toInstant();
    assertTrue(index.accepts(certificate), "RFC 5280, section 4.1.2.5: inclusive");
    now = now.plusSeconds(1);
    assertFalse(index.accepts(certificate));
    now = certificate.getNotBefore().toInstant().minusSeconds(1);
    assertFalse(index.accepts(certificate));
  }

  @Test
  void theFirstUseByItsHolderIsToldAndOnlyThenTheOlderOneEnds() {
    X509Certificate old = agent(Roots.QUICK, SerialNumbers.next());
    X509Certificate young = agent(Roots.QUICK, SerialNumbers.next());
    List<String> told = new ArrayList<>();
    List<CertificateChange> changes = new ArrayList<>();
    index.onFirstUse((agentId, serial) -> told.add(serial));
    index.onChange(changes::add);
    index.completed();
    AgentIdentity renewed = identity(issued(old)).promoted().with(2, issued(young));
    index.show(renewed);
    assertTrue(index.acceptsHandshake(young), "shown, and not yet proved to be held");
    assertTrue(index.acceptsHolder(old));
    assertEquals(List.of(), told);
    assertTrue(index.acceptsHolder(young));
    assertTrue(index.acceptsHolder(young));
    assertEquals(List.of(issued(young).serial()), told);
    now = now.plusSeconds(11);
    assertTrue(index.acceptsHolder(young));
    assertEquals(2, told.size(), "again: the first time may have been lost");
    index.show(renewed.promoted());
    assertFalse(index.accepts(old));
    assertTrue(index.accepts(young));
    assertEquals(1, index.size());
    assertEquals(List.of(CertificateChange.Kind.SUPERSEDED), kinds(changes));
    now = now.plusSeconds(11);
    assertTrue(index.acceptsHolder(young));
    assertEquals(2, told.size(), "it is the current one");
  }

  /** L4: refused at once, and whoever has something open is told. */
  @Test
  void aRevokedOrFrozenIdentityIsRefusedWithAReason() {
    X509Certificate certificate = agent(Roots.QUICK, SerialNumbers.next());
    List<CertificateChange> changes = new ArrayList<>();
    index.onChange(changes::add);
    index.completed();
    AgentIdentity active = identity(issued(certificate));
    index.show(active);
    assertFalse(index.isBarred(WEB));
    index.show(active.ended(IdentityState.FROZEN, "two holders", Roots.NOW));
    assertTrue(index.refusal(certificate).orElseThrow().message().contains("allow-rebind web"));
    index.show(active.ended(IdentityState.REVOKED, "stolen", Roots.NOW));
    assertTrue(index.refusal(certificate).orElseThrow().message().contains("stolen"));
    assertTrue(index.isBarred(WEB));
    assertEquals(0, index.size());
    assertEquals(
        List.of(CertificateChange.Kind.FROZEN, CertificateChange.Kind.REVOKED), kinds(changes));
  }

  /** The WireGuard key of an id that was claimed anew is the former holder's until it registers. */
  @Test
  void anIdThatWasClaimedAnewIsBarredUntilItsNewHolderHasRegistered() {
    X509Certificate old = agent(Roots.QUICK, SerialNumbers.next());
    X509Certificate young = agent(Roots.QUICK, SerialNumbers.next());
    List<String> told = new ArrayList<>();
    index.onFirstUse((agentId, serial) -> told.add(serial));
    index.completed();
    AgentIdentity first = identity(issued(old));
    index.show(first);
    assertFalse(index.isBarred(WEB), "its first certificate follows nobody");
    AgentIdentity claimed = first.promoted().rebound(Roots.NOW).with(2, issued(young));
    index.show(claimed);
    assertTrue(index.isBarred(WEB));
    assertTrue(index.acceptsHolder(young));
    index.registered(WEB, old);
    assertTrue(index.isBarred(WEB), "a call of the former holder that was under way");
    assertEquals(List.of(), told);
    index.registered(WEB, young);
    assertFalse(index.isBarred(WEB));
    assertEquals(List.of(issued(young).serial()), told);
    index.show(claimed.promoted());
    assertFalse(index.isBarred(WEB));
    X509Certificate third = agent(Roots.QUICK, SerialNumbers.next());
    index.show(claimed.promoted().rebound(Roots.NOW).with(3, issued(third)));
    assertTrue(index.isBarred(WEB), "again");
  }

  /** L8: no new connection on what was known long ago; open ones go on. */
  @Test
  void newConnectionsAreRefusedWhenTheJournalHasBeenOutOfReachForAMinute() {
    X509Certificate certificate = agent(Roots.QUICK, SerialNumbers.next());
    index.completed();
    index.show(identity(issued(certificate)));
    index.outOfReach();
    now = now.plus(CertificateIndex.STALE_AFTER).minusSeconds(1);
    index.outOfReach();
    assertTrue(index.acceptsHandshake(certificate));
    now = now.plusSeconds(1);
    assertFalse(index.acceptsHandshake(certificate));
    assertTrue(index.acceptsHolder(certificate));
    index.completed();
    assertTrue(index.acceptsHandshake(certificate));
  }

  @Test
  void anotherCertificateWithAKnownSerialIsRefused() {
    BigInteger serial = SerialNumbers.next();
    X509Certificate certificate = agent(Roots.QUICK, serial);
    index.completed();
    index.show(identity(issued(certificate)));
    Authority forger = Authority.create(Roots.COLONY, Roots.CLOCK, Roots.OTHER_RSA);
    assertFalse(index.accepts(agent(forger, serial)));
    X509Certificate sameSerialOtherKey =
        Roots.QUICK.issue(
            CertificateProfile.agent(Roots.COLONY, WEB),
            Roots.RSA.getPublic(),
            Roots.NOW,
            DAY,
            serial);
    assertFalse(index.accepts(sameSerialOtherKey));
  }

  @Test
  void anAdministratorIsGoodByTheRootsSignatureAndItsName() {
    CertificateProfile profile = CertificateProfile.administrator(Roots.COLONY, "admin");
    X509Certificate administrator =
        Roots.QUICK.issue(profile, Roots.EC.getPublic(), Roots.NOW, DAY);
    assertFalse(index.accepts(administrator), "L8: it may have been revoked");
    index.completed();
    assertTrue(index.accepts(administrator));
    Authority forger = Authority.create(Roots.COLONY, Roots.CLOCK, Roots.OTHER_RSA);
    assertFalse(index.accepts(forger.issue(profile, Roots.EC.getPublic(), Roots.NOW, DAY)));
    List<CertificateChange> changes = new ArrayList<>();
    index.onChange(
        change -> {
          assertFalse(index.accepts(administrator), "refused before anybody is told");
          changes.add(change);
        });
    index.showRevoked(SerialNumbers.hex(administrator.getSerialNumber()));
    index.showRevoked(SerialNumbers.hex(administrator.getSerialNumber()));
    assertFalse(index.accepts(administrator));
    assertEquals(List.of(CertificateChange.Kind.REVOKED), kinds(changes), "told once");
    assertEquals(Optional.empty(), changes.get(0).agentId());
    X509Certificate another = Roots.QUICK.issue(profile, Roots.EC.getPublic(), Roots.NOW, DAY);
    assertTrue(index.accepts(another));
    now = now.plus(Duration.ofDays(2));
    assertFalse(index.accepts(another));
  }

  /** Ids are claimed by whoever is invited; the administrator's is not in the journal. */
  @Test
  void anAgentThatTakesTheAdministratorsNameDoesNotLockTheAdministratorOut() {
    X509Certificate administrator =
        Roots.QUICK.issue(
            CertificateProfile.administrator(Roots.COLONY, WEB.value()),
            Roots.EC.getPublic(),
            Roots.NOW,
            DAY);
    X509Certificate agent = agent(Roots.QUICK, SerialNumbers.next());
    index.completed();
    index.show(identity(issued(agent)));
    assertTrue(index.accepts(agent));
    assertTrue(index.accepts(administrator));
    index.show(identity(issued(agent)).ended(IdentityState.REVOKED, "impostor", Roots.NOW));
    assertFalse(index.accepts(agent));
    assertTrue(index.accepts(administrator));
  }

  @Test
  void serversRootsAndOtherColoniesAreNoClients() {
    index.completed();
    KeyPair keys = Roots.EC;
    X509Certificate server =
        Roots.QUICK.issue(
            CertificateProfile.server(Roots.COLONY), keys.getPublic(), Roots.NOW, DAY);
    ColonyId other = new ColonyId("other");
    X509Certificate stranger =
        Authority.create(other, Roots.CLOCK, Roots.OTHER_RSA)
            .issue(
                CertificateProfile.administrator(other, "admin"), keys.getPublic(), Roots.NOW, DAY);
    for (X509Certificate certificate : List.of(server, Roots.QUICK.certificate(), stranger)) {
      assertEquals(Failure.UNAUTHENTICATED, index.refusal(certificate).orElseThrow().failure());
    }
  }

  private static X509Certificate agent(Authority authority, BigInteger serial) {
    return authority.issue(
        CertificateProfile.agent(Roots.COLONY, WEB), Roots.EC.getPublic(), Roots.NOW, DAY, serial);
  }

  private static List<CertificateChange.Kind> kinds(List<CertificateChange> changes) {
    return changes.stream().map(CertificateChange::kind).toList();
  }

  private static AgentIdentity identity(IssuedCertificate next) {
    return AgentIdentity.claimed(WEB, CertificateRole.AGENT, Roots.NOW).with(1, next);
  }

  private static IssuedCertificate issued(X509Certificate certificate) {
    return new IssuedCertificate(
        WEB,
        SerialNumbers.hex(certificate.getSerialNumber()),
        PublicKeys.hash(certificate.getPublicKey()),
        CertificateLedger.fingerprint(certificate).value(),
        certificate.getIssuerX500Principal().getName(),
        "",
        Roots.NOW,
        certificate.getNotAfter().toInstant());
  }
}
