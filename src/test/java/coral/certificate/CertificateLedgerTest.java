package coral.certificate;

import static coral.certificate.TestDesk.key;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.model.AgentId;
import coral.model.Decision;
import coral.model.Secret;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Random requests against a model that is nothing but lists, and what may never be. */
class CertificateLedgerTest {
  private static final int AGENTS = 4;
  private static final int KEYS = 10;

  /** One certificate of the model: good until {@code ended}. */
  private static final class Card {
    final String agent;
    final String key;
    final String serial;
    boolean used;
    boolean ended;

    /** Ended before its identity was claimed anew. */
    boolean forsaken;

    Card(String agent, String key, String serial) {
      this.agent = agent;
      this.key = key;
      this.serial = serial;
    }
  }

  /** Who holds what, by the rules in words; time passes, but nothing ends by it. */
  private static final class Model {
    final List<Card> cards = new ArrayList<>();
    final Map<String, IdentityState> states = new HashMap<>();
    final Map<String, Boolean> rebind = new HashMap<>();
    final Map<String, String> spent = new HashMap<>();
    final Map<String, Integer> usesLeft = new HashMap<>();

    List<Card> good(String agent) {
      return cards.stream().filter(card -> card.agent.equals(agent) && !card.ended).toList();
    }

    Optional<Card> next(String agent) {
      return good(agent).stream().filter(card -> !card.used).findFirst();
    }

    /** "sign", "again", "freeze" or "refuse". */
    String ask(String agent, String key, String payment, String id, Optional<String> previous) {
      boolean others = cards.stream().anyMatch(c -> c.key.equals(key) && !c.agent.equals(agent));
      boolean ever = cards.stream().anyMatch(card -> card.key.equals(key));
      boolean active = states.get(agent) == IdentityState.ACTIVE;
      boolean mine = good(agent).stream().anyMatch(card -> card.key.equals(key));
      if (payment.equals("certificate")) {
        if (!states.containsKey(agent) || !active || others) {
          return "refuse";
        }
        Optional<Card> paying =
            cards.stream().filter(c -> c.agent.equals(agent) && c.serial.equals(id)).findFirst();
        if (paying.isEmpty()) {
          return "refuse";
        }
        if (paying.get().ended) {
          return "freeze";
        }
        if (mine) {
          return "again";
        }
        if (awaitsRegistration(agent)) {
          return "refuse";
        }
        if (paying.get().used && next(agent).isPresent()) {
          return "freeze";
        }
        return ever ? "refuse" : "sign";
      }
      if (payment.equals("token")) {
        String by = agent + " " + key;
        if (spent.containsKey(id)) {
          return spent.get(id).equals(by) && mine && active ? "again" : "refuse";
        }
      }
      if (payment.equals("invitation") && usesLeft.getOrDefault(id, 0) == 0) {
        return mine && active && spentFor(agent, key, id) ? "again" : "refuse";
      }
      if (others) {
        return "refuse";
      }
      if (!states.containsKey(agent)) {
        return "sign";
      }
      if (rebind.getOrDefault(agent, false) && !ever) {
        return "sign";
      }
      if (!active) {
        return "refuse";
      }
      if (mine) {
        return "again";
      }
      if (previous.isPresent()) {
        Optional<Card> shown =
            cards.stream()
                .filter(c -> c.agent.equals(agent) && c.serial.equals(previous.get()))
                .findFirst();
        if (shown.isPresent() && !shown.get().forsaken) {
          return shown.get().ended || (shown.get().used && next(agent).isPresent())
              ? "freeze"
              : ever ? "refuse" : "sign";
        }
      }
      return "refuse";
    }

    /** Claimed anew, and not used since. */
    boolean awaitsRegistration(String agent) {
      return good(agent).stream().noneMatch(card -> card.used)
          && cards.stream().filter(card -> card.agent.equals(agent)).count() > 1;
    }

    boolean spentFor(String agent, String key, String id) {
      return id.equals(spent.get(agent + " " + key));
    }
  }

  @Test
  void aLedgerAgreesWithAModelAfterAnyRequests() {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    int signed = 0;
    int frozen = 0;
    for (int round = 0; round < 120; round++) {
      TestDesk desk = new TestDesk(100);
      Model model = new Model();
      List<Secret> invitations = new ArrayList<>();
      for (int step = 0; step < 80; step++) {
        desk.now = desk.now.plusMillis(1);
        String message = "round " + round + ", step " + step + ", seed " + seed;
        String agent = "agent-" + random.nextInt(AGENTS);
        AgentId agentId = new AgentId(agent);
        int die = random.nextInt(20);
        if (die == 0 && model.states.containsKey(agent)) {
          desk.operate(desk.operator().revoke(agentId, "lost", TestDesk.OPERATOR, desk.now));
          model.states.put(agent, IdentityState.REVOKED);
          model.rebind.put(agent, false);
        } else if (die <= 2 && model.states.containsKey(agent)) {
          desk.operate(
              desk.operator()
                  .allowRebind(agentId, Duration.ofHours(1), "", TestDesk.OPERATOR, desk.now));
          model.rebind.put(agent, true);
        } else if (die <= 6
            && model.states.get(agent) == IdentityState.ACTIVE
            && model.next(agent).isPresent()) {
          desk.use(agentId);
          use(model, agent);
        } else if (die == 7) {
          Secret secret = InvitationSecrets.next();
          int uses = 1 + random.nextInt(2);
          desk.operate(
              desk.operator()
                  .invite(
                      desk.invitation(secret, Optional.empty(), CertificateRole.AGENT, uses),
                      String.format("%016x", invitations.size()),
                      desk.now));
          model.usesLeft.put("i" + invitations.size(), uses);
          invitations.add(secret);
        } else {
          String key = "key-" + random.nextInt(KEYS);
          int kind = random.nextInt(invitations.isEmpty() ? 3 : 4);
          Optional<Card> card =
              model.cards.isEmpty()
                  ? Optional.empty()
                  : Optional.of(model.cards.get(random.nextInt(model.cards.size())));
          String serial = card.map(c -> c.serial).orElse("none");
          String name = List.of("secret", "certificate", "token", "invitation").get(kind);
          String id = kind == 1 ? serial : "t" + random.nextInt(8);
          Payment payment = new Payment.ColonySecret();
          if (kind == 1) {
            payment = new Payment.Certificate(serial);
          } else if (kind == 2) {
            payment = desk.token(id, key);
          } else if (kind == 3) {
            int which = random.nextInt(invitations.size());
            id = "i" + which;
            payment = Payment.Invitation.of(invitations.get(which));
          }
          Optional<String> previous =
              kind != 1 && random.nextInt(3) == 0 ? card.map(c -> c.serial) : Optional.empty();
          IssueRequest request =
              new IssueRequest(
                  agentId,
                  key(key),
                  payment,
                  previous.map(p -> new IssueRequest.Previous(p, TestDesk.fingerprint(p))),
                  TestDesk.ORIGIN);
          String expected = model.ask(agent, key, name, id, previous);
          int before = desk.journal.size();
          Decision<CertificateEvent, Verdict> undecided = desk.decide(request);
          assertEquals(before, desk.journal.size());
          Verdict verdict = desk.ask(request);
          assertEquals(undecided.reply(), verdict, message + ": deciding changes nothing");
          assertEquals(expected, name(verdict, desk.journal, before), message + ": " + request);
          if (expected.equals("freeze")) {
            frozen++;
            model.states.put(agent, IdentityState.FROZEN);
            model.rebind.put(agent, false);
          }
          if (expected.equals("sign")) {
            signed++;
            sign(model, agent, key, name, id, kind == 1 ? Optional.of(serial) : previous, desk);
          }
        }
        invariants(desk, model, message);
      }
      replay(desk, "round " + round + ", seed " + seed);
    }
    assertTrue(signed > 300, signed + " certificates, seed " + seed);
    assertTrue(frozen > 30, frozen + " frozen, seed " + seed);
  }

  private static String name(Verdict verdict, List<CertificateEvent> journal, int before) {
    if (verdict instanceof Verdict.Sign) {
      return "sign";
    }
    if (verdict instanceof Verdict.Again) {
      assertEquals(before, journal.size());
      return "again";
    }
    return journal.size() > before ? "freeze" : "refuse";
  }

  private static void use(Model model, String agent) {
    Card next = model.next(agent).orElseThrow();
    model.good(agent).stream().filter(card -> card.used).forEach(card -> card.ended = true);
    next.used = true;
  }

  private static void sign(
      Model model,
      String agent,
      String key,
      String payment,
      String id,
      Optional<String> shown,
      TestDesk desk) {
    if (model.rebind.getOrDefault(agent, false) && !payment.equals("certificate")) {
      boolean wasActive = model.states.get(agent) == IdentityState.ACTIVE;
      model.cards.stream()
          .filter(card -> card.agent.equals(agent))
          .forEach(
              card -> {
                card.forsaken |= card.ended || !wasActive;
                card.ended = true;
              });
      model.rebind.put(agent, false);
    } else if (model.next(agent).filter(c -> shown.equals(Optional.of(c.serial))).isPresent()) {
      if (model.awaitsRegistration(agent)) {
        model.next(agent).orElseThrow().ended = true;
      } else {
        use(model, agent);
      }
    }
    model.states.put(agent, IdentityState.ACTIVE);
    model.cards.add(
        new Card(agent, key, desk.identity(new AgentId(agent)).next().orElseThrow().serial()));
    if (payment.equals("token")) {
      model.spent.put(id, agent + " " + key);
    } else if (payment.equals("invitation")) {
      model.usesLeft.merge(id, -1, Integer::sum);
      model.spent.put(agent + " " + key, id);
    }
  }

  private static void invariants(TestDesk desk, Model model, String message) {
    Map<String, AgentId> holders = new HashMap<>();
    for (AgentIdentity identity : desk.ledger.identities()) {
      String agent = identity.agentId().value();
      assertEquals(model.states.get(agent), identity.state(), message);
      assertEquals(
          model.good(agent).stream().map(card -> card.serial).toList(),
          identity.certificates().stream().map(IssuedCertificate::serial).toList(),
          message);
      for (IssuedCertificate certificate : identity.certificates()) {
        AgentId other = holders.put(certificate.keyHash(), identity.agentId());
        assertTrue(other == null || other.equals(identity.agentId()), message);
      }
    }
    assertEquals(model.states.size(), desk.ledger.identities().size(), message);
  }

  /** What was journaled says the same, read from its beginning or from a snapshot on. */
  private static void replay(TestDesk desk, String message) {
    CertificateLedger replayed = new CertificateLedger(100);
    CertificateLedger restored = new CertificateLedger(100);
    int half = desk.journal.size() / 2;
    for (int i = 0; i < desk.journal.size(); i++) {
      if (i == half) {
        restored = CertificateLedger.restore(100, restored.snapshot());
      }
      desk.journal.get(i).applyTo(replayed);
      desk.journal.get(i).applyTo(restored);
    }
    assertEquals(desk.ledger.snapshot(), replayed.snapshot(), message);
    assertEquals(desk.ledger.snapshot(), restored.snapshot(), message);
  }
}
