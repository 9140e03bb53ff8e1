package coral.certificate;

import coral.model.JournalRecord;
import coral.model.SpentTokens;
import java.util.List;

/**
 * A whole ledger at one sequence number, as the journal keeps it: without the bytes of certificates
 * that are in use.
 */
record CertificateSnapshot(
    long revision,
    List<AgentIdentity> identities,
    List<CertificateLedger.Ended> ended,
    List<CertificateLedger.Kept> kept,
    List<CertificateEvent.SerialRevoked> strangers,
    List<SpentTokens.Spent> tokens,
    List<InvitationBook.Entry> invitations)
    implements JournalRecord {
  public CertificateSnapshot {
    identities = List.copyOf(identities);
    ended = List.copyOf(ended);
    kept = List.copyOf(kept);
    strangers = List.copyOf(strangers);
    tokens = List.copyOf(tokens);
    invitations = List.copyOf(invitations);
  }
}
