package coral.audit;

import static org.junit.jupiter.api.Assertions.assertEquals;

import coral.files.Pem;
import coral.model.AuditEvent;
import coral.model.AuditEvent.Kind;
import coral.model.ColonyId;
import coral.rpc.ClientCertificate;
import coral.rpc.TestAuthority;
import java.security.GeneralSecurityException;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.junit.jupiter.api.Test;

/** Records 1 to 30; roots over 1 to 10 and 11 to 20. */
class AuditVerificationTest {
  private static final ColonyId COLONY = new ColonyId("shop-test-a1b2c3");
  private final Instant now = InstantSource.system().instant().truncatedTo(ChronoUnit.SECONDS);
  private final TestAuthority authority = new TestAuthority("Coral Colony CA");
  private final AuditSigner signer = signer(authority, "colony");
  private final List<AuditRecord> records = records(30, "as it was");
  private final List<AuditRoot> roots =
      new ArrayList<>(List.of(root(records, 1, 10, signer), root(records, 11, 20, signer)));

  AuditVerificationTest() throws Exception {} // a key cannot be made: the test fails

  private static AuditSigner signer(TestAuthority of, String path) throws Exception {
    ClientCertificate leaf =
        of.issue("CN=x", "spiffe://" + COLONY + "/" + path, KeyPurposeId.id_kp_serverAuth);
    return AuditSigner.of(leaf.key(), Pem.encode(leaf.chain()));
  }

  private List<AuditRecord> records(int count, String detailOfSeven) {
    List<AuditRecord> made = new ArrayList<>();
    AuditChain chain = AuditChain.EMPTY;
    for (int i = 1; i <= count; i++) {
      AuditEvent event =
          AuditEvent.of(Kind.ROLE_USED).detail(i == 7 ? detailOfSeven : "number " + i);
      AuditRecord next = chain.next(event, now.plusSeconds(i));
      made.add(next);
      chain = chain.with(next);
    }
    return made;
  }

  private AuditRoot root(List<AuditRecord> records, int first, int last, AuditSigner signer) {
    MerkleTree tree = new MerkleTree();
    records.subList(first - 1, last).forEach(record -> tree.addHash(record.hash()));
    try {
      AuditSigner.Signed signed =
          signer.sign(AuditRoot.text(COLONY, first, last, tree.root(), now));
      return new AuditRoot(
          first,
          last,
          tree.root(),
          now,
          Base64.getEncoder().encodeToString(signed.bytes()),
          signed.certificates());
    } catch (GeneralSecurityException e) {
      throw new AssertionError(e);
    }
  }

  /** What is wrong first: the record's number and why; empty for a log in order. */
  private String verdict() {
    AuditVerification verification = new AuditVerification(COLONY, List.of(authority.root()));
    for (AuditRoot root : roots) {
      Optional<AuditVerification.Broken> broken = verification.add(root);
      if (broken.isPresent()) {
        return text(broken.get());
      }
    }
    for (AuditRecord record : records) {
      Optional<AuditVerification.Broken> broken = verification.add(record);
      if (broken.isPresent()) {
        return text(broken.get());
      }
    }
    return verification.end().map(AuditVerificationTest::text).orElse("");
  }

  private static String text(AuditVerification.Broken broken) {
    return broken.sequence() + ": " + broken.why();
  }

  private static AuditRecord changed(AuditRecord record, long sequence, String detail) {
    return new AuditRecord(
        sequence,
        record.time(),
        record.kind(),
        record.actor(),
        record.meshAddress(),
        record.sourceAddress(),
        record.subject(),
        detail,
        record.requestId(),
        record.hash());
  }

  @Test
  void aLogInOrderIsVerified() {
    assertEquals("", verdict());
  }

  @Test
  void anEmptyLogIsInOrder() {
    records.clear();
    roots.clear();
    assertEquals("", verdict());
  }

  @Test
  void aChangedRecordIsNamed() {
    records.set(24, changed(records.get(24), 25, "something else"));
    assertEquals("25: it is not what was recorded: its hash does not fit", verdict());
  }

  @Test
  void aRecordOfAnotherTimeIsNamed() {
    AuditRecord before = records.get(4);
    records.set(
        4,
        new AuditRecord(
            5,
            now.minusSeconds(9),
            before.kind(),
            before.actor(),
            before.meshAddress(),
            before.sourceAddress(),
            before.subject(),
            before.detail(),
            before.requestId(),
            before.hash()));
    assertEquals("5: its time is before that of the record before it", verdict());
  }

  @Test
  void deletedRecordsAreNamed() {
    records.remove(11);
    assertEquals("12: it is missing", verdict());
    records.remove(11);
    assertEquals("12: it and those up to 13 are missing", verdict());
    records.remove(0);
    assertEquals("1: it is missing", verdict());
  }

  @Test
  void aDeletedRecordShowsAlsoWhenTheOthersAreNumberedAnew() {
    records.remove(21);
    for (int i = 21; i < records.size(); i++) {
      records.set(i, changed(records.get(i), i + 1, records.get(i).detail()));
    }
    assertEquals("22: it is not what was recorded: its hash does not fit", verdict());
  }

  @Test
  void anInsertedRecordIsNamed() {
    records.add(15, changed(records.get(15), 15, "never happened"));
    assertEquals("16: there is a second record 15 in its place", verdict());
  }

  @Test
  void recordsThatChangedPlacesAreNamed() {
    AuditRecord third = records.get(2);
    records.set(2, changed(records.get(3), 3, records.get(3).detail()));
    records.set(3, changed(third, 4, third.detail()));
    assertEquals("3: it is not what was recorded: its hash does not fit", verdict());
  }

  @Test
  void cuttingOffTheEndShowsByWhatWasSigned() {
    records.subList(18, 30).clear();
    assertEquals("19: the records 19 to 20 were signed and are missing", verdict());
    records.add(records(30, "as it was").get(18));
    assertEquals("20: record 20 was signed and is missing", verdict());
  }

  @Test
  void whoComputesAllHashesAnewHasNoSignature() {
    records.clear();
    records.addAll(records(30, "changed"));
    assertEquals(
        "1: the records 1 to 10 follow each other and are not what was signed at "
            + now
            + ": one of them was changed and the hashes were computed anew",
        verdict());
  }

  @Test
  void aRemovedRootShows() {
    roots.remove(0);
    assertEquals(
        "1: the roots do not follow each other: one ends at 0, the next is over 11 to 20",
        verdict());
  }

  @Test
  void rootsThatTheColonyDidNotSignAreRefused() throws Exception {
    AuditRoot real = roots.get(1);
    roots.set(1, root(records, 11, 20, signer(authority, "agent/web-1")));
    assertEquals("11: the root over the records 11 to 20 is not signed by the colony", verdict());
    roots.set(1, root(records, 11, 20, signer(new TestAuthority("Coral Colony CA"), "colony")));
    assertEquals(
        "11: the root over the records 11 to 20 is signed by somebody whom the colony's root does"
            + " not vouch for",
        verdict());
    roots.set(
        1,
        new AuditRoot(
            11, 20, real.hash(), now.plusSeconds(1), real.signature(), real.certificates()));
    assertEquals(
        "11: the root over the records 11 to 20 has another signature than its own", verdict());
    roots.set(1, new AuditRoot(11, 20, real.hash(), now, "no base64!", real.certificates()));
    assertEquals(
        "11: the root over the records 11 to 20 has no signature that can be read", verdict());
    roots.set(1, new AuditRoot(11, 20, real.hash(), now, real.signature(), ""));
    assertEquals("11: the root over the records 11 to 20 is not signed by the colony", verdict());
  }
}
