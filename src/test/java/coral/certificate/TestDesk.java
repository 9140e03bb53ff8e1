package coral.certificate;

import coral.model.AgentId;
import coral.model.Decision;
import coral.model.Failure;
import coral.model.Secret;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.pekko.actor.testkit.typed.javadsl.TestInbox;

/** A ledger and its rules without keys or signatures: certificates are their numbers. */
final class TestDesk {
  static final Duration VALIDITY = Duration.ofDays(90);
  static final Origin ORIGIN = new Origin(Origin.ANYONE, "10.0.0.1", "r-1");
  static final Origin OPERATOR = new Origin("operator/ann", "10.0.0.2", "r-2");

  private static final TestInbox<CertificateAuthority.Reply> INBOX = TestInbox.create();

  final List<CertificateEvent> journal = new ArrayList<>();
  final Instant started;
  CertificateLedger ledger;
  Instant now;
  private int lastSerial;

  TestDesk(int maxAgents) {
    this(maxAgents, Roots.NOW);
  }

  TestDesk(int maxAgents, Instant started) {
    this.ledger = new CertificateLedger(maxAgents);
    this.started = started;
    this.now = started;
  }

  /** 64 digits for a key's name. */
  static String key(String name) {
    return PublicKeys.sha256(name.getBytes(StandardCharsets.UTF_8));
  }

  static Payment.ColonySecret secret() {
    return new Payment.ColonySecret();
  }

  Payment.Token token(String id, String key) {
    return token(id, key, CertificateRole.AGENT);
  }

  Payment.Token token(String id, String key, CertificateRole role) {
    return new Payment.Token(id, now, now.plusSeconds(60), key(key), role);
  }

  static IssueRequest request(AgentId agentId, String key, Payment payment) {
    return new IssueRequest(agentId, key(key), payment, Optional.empty(), ORIGIN);
  }

  static IssueRequest proved(
      AgentId agentId, String key, Payment payment, IssuedCertificate previous) {
    return new IssueRequest(
        agentId,
        key(key),
        payment,
        Optional.of(new IssueRequest.Previous(previous.serial(), previous.fingerprint())),
        ORIGIN);
  }

  Decision<CertificateEvent, Verdict> decide(IssueRequest request) {
    return new IssuingRules(ledger, started).decide(request, now);
  }

  /** Decides, and carries it out: as the actor does, twice with the signature in between. */
  Verdict ask(IssueRequest request) {
    Decision<CertificateEvent, Verdict> decision = decide(request);
    decision.events().forEach(this::apply);
    if (decision.reply() instanceof Verdict.Sign sign) {
      apply(issued(request, sign));
    }
    return decision.reply();
  }

  CertificateEvent.Issued issued(IssueRequest request, Verdict.Sign sign) {
    String serial = String.format("%032x", ++lastSerial);
    return new CertificateEvent.Issued(
        request.agentId(),
        sign.role(),
        sign.generation(),
        serial,
        request.keyHash(),
        fingerprint(serial),
        "PEM " + serial,
        "CN=agents",
        request.payment().kind(),
        sign.paymentId(),
        request.origin(),
        now,
        now.plus(VALIDITY));
  }

  static String fingerprint(String serial) {
    return "sha256:" + PublicKeys.sha256(serial.getBytes(StandardCharsets.UTF_8));
  }

  /** The certificate of a request that was not refused. */
  IssuedCertificate certify(IssueRequest request) {
    Verdict verdict = ask(request);
    if (verdict instanceof Verdict.Again again) {
      return again.certificate();
    }
    if (verdict instanceof Verdict.Refuse refuse) {
      throw new AssertionError(refuse.toString());
    }
    return identity(request.agentId()).next().orElseThrow();
  }

  Failure refusal(IssueRequest request) {
    Verdict verdict = ask(request);
    if (verdict instanceof Verdict.Refuse refuse) {
      return refuse.refused().failure();
    }
    throw new AssertionError("not refused: " + verdict);
  }

  /** The identity's newest certificate is used for the first time. */
  void use(AgentId agentId) {
    apply(
        new CertificateEvent.Promoted(
            agentId, identity(agentId).next().orElseThrow().serial(), now));
  }

  AgentIdentity identity(AgentId agentId) {
    return ledger.identity(agentId).orElseThrow();
  }

  CertificateAuthority.Reply operate(Decision<CertificateEvent, CertificateAuthority.Reply> done) {
    done.events().forEach(this::apply);
    return done.reply();
  }

  OperatorRules operator() {
    return new OperatorRules(ledger);
  }

  void apply(CertificateEvent event) {
    event.applyTo(ledger);
    journal.add(event);
  }

  CertificateAuthority.CreateInvitation invitation(
      Secret secret, Optional<AgentId> agentId, CertificateRole role, int uses) {
    return new CertificateAuthority.CreateInvitation(
        InvitationSecrets.hash(secret),
        agentId,
        role,
        Duration.ofHours(1),
        uses,
        OPERATOR,
        INBOX.getRef());
  }
}
