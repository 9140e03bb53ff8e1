package coral.colony;

import coral.certificate.CertificateEvent;
import coral.storage.CertificateReadModel;
import coral.storage.CertificateReadModel.Change;
import coral.storage.CertificateReadModel.State;
import coral.storage.Projection;
import coral.storage.StoreException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What each event of the journal of certificates means for the table {@code agent_certificates}.
 */
final class CertificateRows {
  private CertificateRows() {}

  /** The table as a target of its journal. */
  static Projection.Target into(CertificateReadModel table) {
    return new Projection.Target() {
      @Override
      public long appliedUpTo() throws StoreException {
        return table.appliedUpTo();
      }

      @Override
      public void apply(List<Projection.JournalEvent> events) throws StoreException {
        List<Change> changes = new ArrayList<>();
        events.forEach(event -> of(event.event()).ifPresent(changes::add));
        table.apply(changes, events.get(events.size() - 1).sequenceNumber());
      }
    };
  }

  /** The change that the event makes; empty if it makes none. */
  static Optional<Change> of(Object event) {
    if (event instanceof CertificateEvent.IssuedV1 issued) {
      return Optional.of(
          new Change.Issued(
              new CertificateReadModel.Row(
                  issued.serial(),
                  issued.agentId(),
                  0,
                  "agent",
                  State.NEXT,
                  issued.certificatePem(),
                  "",
                  issued.fingerprint(),
                  issued.keyHash(),
                  "colony-secret",
                  issued.issuedAt(),
                  issued.expiresAt(),
                  Optional.empty(),
                  ""),
              true));
    }
    if (event instanceof CertificateEvent.Issued issued) {
      return Optional.of(
          new Change.Issued(
              new CertificateReadModel.Row(
                  issued.serial(),
                  issued.agentId(),
                  issued.generation(),
                  issued.role().wireName(),
                  State.NEXT,
                  issued.certificatePem(),
                  issued.issuer(),
                  issued.fingerprint(),
                  issued.keyHash(),
                  issued.payment(),
                  issued.at(),
                  issued.expiresAt(),
                  Optional.empty(),
                  ""),
              false));
    }
    if (event instanceof CertificateEvent.Promoted promoted) {
      return Optional.of(new Change.Promoted(promoted.agentId()));
    }
    if (event instanceof CertificateEvent.Frozen frozen) {
      return Optional.of(
          new Change.Ended(frozen.agentId(), State.FROZEN, frozen.reason(), frozen.at()));
    }
    if (event instanceof CertificateEvent.Revoked revoked) {
      return Optional.of(
          new Change.Ended(revoked.agentId(), State.REVOKED, revoked.reason(), revoked.at()));
    }
    if (event instanceof CertificateEvent.Rebound rebound) {
      return Optional.of(new Change.Ended(rebound.agentId(), State.SUPERSEDED, "", rebound.at()));
    }
    return Optional.empty();
  }
}
