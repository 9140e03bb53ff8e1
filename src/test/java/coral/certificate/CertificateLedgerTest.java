package coral.certificate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.model.AgentId;
import coral.model.Decision;
import coral.model.Failure;
import coral.model.Refused;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

class CertificateLedgerTest {
  private static final AgentId WEB = new AgentId("web");
  private static final AgentId DATABASE = new AgentId("database");
  private static final String KEY = "11".repeat(32);
  private static final String OTHER_KEY = "22".repeat(32);

  private final CertificateLedger ledger = new CertificateLedger(3);

  @Test
  void theFirstClaimBindsAnAgentIdToItsKey() {
    assertEquals(Optional.empty(), issue(WEB, KEY));
    assertEquals(Optional.empty(), issue(WEB, KEY), "its answer may have been lost");
    assertEquals(Failure.AGENT_ID_TAKEN, issue(WEB, OTHER_KEY).orElseThrow().failure());
    assertEquals(2, ledger.certificates(WEB).size());
  }

  @Test
  void aKeyBelongsToOneAgent() {
    issue(WEB, KEY);
    assertEquals(Failure.AGENT_ID_TAKEN, issue(DATABASE, KEY).orElseThrow().failure());
  }

  @Test
  void aRefusalDoesNotSayWhoseKeyItIs() {
    issue(WEB, KEY);
    assertFalse(issue(DATABASE, KEY).orElseThrow().message().contains(WEB.value()));
  }

  @Test
  void newAgentsAreRefusedAtTheLimitAndKnownOnesAreNot() {
    for (int i = 0; i < 3; i++) {
      assertEquals(Optional.empty(), issue(new AgentId("a" + i), ("0" + i).repeat(32)));
    }
    assertEquals(Failure.LIMIT_REACHED, issue(WEB, KEY).orElseThrow().failure());
    assertEquals(Optional.empty(), issue(new AgentId("a1"), "01".repeat(32)));
  }

  @Test
  void decidingChangesNothing() {
    ledger.issue(WEB, KEY, certificate(WEB), Roots.NOW);
    assertEquals(0, ledger.agents());
    assertEquals(Optional.empty(), ledger.refusal(WEB, OTHER_KEY));
  }

  @Test
  void aSerialNumberThatCameBeforeIsNotIssued() {
    X509Certificate certificate = certificate(WEB);
    ledger.issue(WEB, KEY, certificate, Roots.NOW).events().forEach(event -> event.applyTo(ledger));
    assertEquals(
        Failure.INTERNAL,
        ledger.issue(WEB, KEY, certificate, Roots.NOW).reply().orElseThrow().failure());
  }

  @Test
  void anEventThatContradictsTheLedgerIsADefect() {
    CertificateEvent event = ledger.issue(WEB, KEY, certificate(WEB), Roots.NOW).events().get(0);
    CertificateEvent other =
        ledger.issue(WEB, OTHER_KEY, certificate(WEB), Roots.NOW).events().get(0);
    event.applyTo(ledger);
    assertThrows(IllegalStateException.class, () -> event.applyTo(ledger));
    assertThrows(IllegalStateException.class, () -> other.applyTo(ledger));
  }

  /** Against a model that is nothing but lists. */
  @Test
  void aLedgerAgreesWithAModelAfterAnyRequests() {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    int maxAgents = 6;
    CertificateLedger tested = new CertificateLedger(maxAgents);
    List<String[]> bound = new ArrayList<>();
    Map<String, Deque<String>> good = new HashMap<>();
    List<CertificateEvent> journal = new ArrayList<>();
    for (int i = 0; i < 400; i++) {
      String agent = "agent-" + random.nextInt(8);
      String key = String.format("%02d", random.nextInt(8)).repeat(32);
      boolean isBound = false;
      boolean conflicts = false;
      for (String[] pair : bound) {
        isBound |= pair[0].equals(agent) && pair[1].equals(key);
        conflicts |= pair[0].equals(agent) != pair[1].equals(key);
      }
      boolean expected = !conflicts && (isBound || bound.size() < maxAgents);
      AgentId agentId = new AgentId(agent);
      X509Certificate certificate = certificate(agentId);
      Decision<CertificateEvent, Optional<Refused>> decision =
          tested.issue(agentId, key, certificate, Roots.NOW);
      String message = "request " + i + ", seed " + seed;
      assertEquals(expected, decision.reply().isEmpty(), message);
      assertEquals(expected ? 1 : 0, decision.events().size(), message);
      if (expected) {
        if (!isBound) {
          bound.add(new String[] {agent, key});
        }
        Deque<String> mine = good.computeIfAbsent(agent, a -> new ArrayDeque<>());
        mine.addLast(SerialNumbers.hex(certificate.getSerialNumber()));
        if (mine.size() > CertificateLedger.MAX_CERTIFICATES_PER_AGENT) {
          mine.removeFirst();
        }
        decision.events().forEach(event -> event.applyTo(tested));
        journal.addAll(decision.events());
      }
    }
    CertificateLedger replayed = new CertificateLedger(maxAgents);
    journal.forEach(event -> event.applyTo(replayed));
    for (CertificateLedger each : List.of(tested, replayed)) {
      assertEquals(bound.size(), each.agents(), "seed " + seed);
      for (AgentId agentId : each.agentIds()) {
        assertEquals(
            List.copyOf(good.get(agentId.value())),
            each.certificates(agentId).stream().map(c -> c.serial()).toList(),
            "seed " + seed);
      }
    }
    assertTrue(journal.size() > 20, "seed " + seed);
  }

  private Optional<Refused> issue(AgentId agentId, String keyHash) {
    Decision<CertificateEvent, Optional<Refused>> decision =
        ledger.issue(agentId, keyHash, certificate(agentId), Roots.NOW);
    decision.events().forEach(event -> event.applyTo(ledger));
    return decision.reply();
  }

  private static X509Certificate certificate(AgentId agentId) {
    return Roots.QUICK.issue(
        CertificateProfile.agent(Roots.COLONY, agentId),
        Roots.EC.getPublic(),
        Roots.NOW,
        Duration.ofDays(90));
  }
}
