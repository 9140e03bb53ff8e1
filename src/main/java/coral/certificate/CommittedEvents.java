package coral.certificate;

import java.util.List;

/**
 * Shows what is durable to those who ask without an actor: who is good, what has ended, and the
 * audit log. Of one thread.
 */
final class CommittedEvents {
  private final CertificateIndex index;
  private final CertificateAudit audit;

  CommittedEvents(CertificateIndex index, CertificateAudit audit) {
    this.index = index;
    this.audit = audit;
  }

  /** This is all that the journal holds. */
  void recovered(CertificateLedger ledger) {
    ledger.identities().forEach(identity -> show(ledger, identity));
    ledger.strangers().values().forEach(this::show);
    index.knownRevocations().shown(ledger.revision());
    index.completed();
  }

  /** These events are durable, and the ledger is what they have made of it. */
  void show(CertificateLedger ledger, List<CertificateEvent> events) {
    for (CertificateEvent event : events) {
      event.subject().flatMap(ledger::identity).ifPresent(identity -> show(ledger, identity));
      if (event instanceof CertificateEvent.SerialRevoked revoked) {
        show(revoked);
      }
      audit.recorded(event);
    }
    index.knownRevocations().shown(ledger.revision());
  }

  private void show(CertificateLedger ledger, AgentIdentity identity) {
    index.knownRevocations().show(identity, ledger.ended(identity.agentId()));
    index.show(identity);
  }

  private void show(CertificateEvent.SerialRevoked revoked) {
    index.knownRevocations().show(revoked);
    index.showRevoked(revoked.serial());
  }
}
