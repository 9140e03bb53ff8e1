package coral.certificate;

import static coral.certificate.TestDesk.key;
import static coral.certificate.TestDesk.proved;
import static coral.certificate.TestDesk.request;
import static coral.certificate.TestDesk.secret;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.model.AgentId;
import coral.model.Failure;
import coral.model.Secret;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** The cases of tokens, identities and renewals, each by its id, on the ledger alone. */
class IssuingRulesTest {
  private static final AgentId WEB = new AgentId("web");
  private static final AgentId DATABASE = new AgentId("database");

  private final TestDesk desk = new TestDesk(3);

  /** J9 */
  @Test
  void aTokenBuysOneCertificateAndIsSpentInTheSameWrite() {
    IssueRequest request = request(WEB, "a", desk.token("t-1", "a"));
    IssuedCertificate first = desk.certify(request);
    assertEquals(
        List.of(CertificateEvent.TokenSpent.class, CertificateEvent.Issued.class),
        desk.journal.stream().map(Object::getClass).toList());
    assertEquals(first, desk.certify(request), "the answer may have been lost");
    assertEquals(2, desk.journal.size(), "nothing is spent twice");
  }

  /** J9, after the answer has arrived and been used. */
  @Test
  void aTokenWhoseCertificateIsInUseForLongBuysNothing() {
    IssueRequest request = request(WEB, "a", desk.token("t-1", "a"));
    desk.certify(request);
    desk.use(WEB);
    desk.now = desk.now.plus(CertificateLedger.ANSWERS_KEPT).plusSeconds(1);
    desk.certify(request(DATABASE, "d", secret()));
    assertEquals(Failure.UNAUTHENTICATED, desk.refusal(request));
  }

  /** J9, step-ca's "prehistoric token": what was spent in a journal that is lost is not known. */
  @Test
  void aTokenFromBeforeTheStartIsRefusedUnlessItIsKnownAsSpentByTheSameKey() {
    Payment.Token old =
        new Payment.Token(
            "t-0",
            desk.started.minusSeconds(1),
            desk.now.plusSeconds(59),
            key("a"),
            CertificateRole.AGENT);
    assertEquals(Failure.UNAUTHENTICATED, desk.refusal(request(WEB, "a", old)));
    assertTrue(desk.journal.isEmpty());
    IssueRequest spent = request(WEB, "a", desk.token("t-1", "a"));
    IssuedCertificate certificate = desk.certify(spent);
    TestDesk restarted = new TestDesk(3, desk.now.plusSeconds(5));
    desk.journal.forEach(restarted::apply);
    assertEquals(certificate, restarted.certify(spent), "its answer, again");
  }

  @Test
  void whoeverPaysWithATokenMayBeAProxyAndStaysWhatItWas() {
    IssuedCertificate first =
        desk.certify(request(WEB, "a", desk.token("t-1", "a", CertificateRole.PROXY)));
    assertEquals(CertificateRole.PROXY, desk.identity(WEB).role());
    assertEquals(
        Failure.AGENT_ID_TAKEN,
        desk.refusal(request(WEB, "a", desk.token("t-2", "a", CertificateRole.AGENT))));
    IssuedCertificate next = desk.certify(renewal(WEB, "b", first));
    assertEquals(CertificateRole.PROXY, desk.identity(WEB).role(), next.serial());
    for (CertificateRole role : CertificateRole.values()) {
      if (!role.isMember()) {
        assertThrows(IllegalArgumentException.class, () -> desk.token("t-3", "c", role));
      }
    }
  }

  /** J11: whatever is refused spends nothing. */
  @Test
  void aRefusedRequestSpendsNeitherTokenNorInvitation() {
    desk.certify(request(WEB, "a", secret()));
    Payment.Token token = desk.token("t-1", "b");
    assertEquals(Failure.AGENT_ID_TAKEN, desk.refusal(request(WEB, "b", token)));
    assertEquals(0, desk.ledger.tokens().size());
    desk.certify(request(DATABASE, "b", token));
    Secret secret = invite(Optional.empty(), CertificateRole.AGENT, 1);
    assertEquals(
        Failure.AGENT_ID_TAKEN, desk.refusal(request(WEB, "c", Payment.Invitation.of(secret))));
    desk.certify(request(new AgentId("guest"), "c", Payment.Invitation.of(secret)));
  }

  /** J11: tokens are remembered as long as they could be shown, and no longer. */
  @Test
  void spentTokensAreForgottenWhenTheirAgeRefusesThem() {
    Payment.Token token = desk.token("t-1", "a");
    desk.certify(request(WEB, "a", token));
    desk.use(WEB);
    desk.now = desk.now.plusSeconds(126);
    desk.certify(request(DATABASE, "d", desk.token("t-2", "d")));
    assertEquals(1, desk.ledger.tokens().size());
    assertEquals(Failure.UNAUTHENTICATED, desk.refusal(request(WEB, "a", token)));
  }

  /** J13 */
  @Test
  void aStolenTokenIsUselessToAnotherKeyOrAgent() {
    Payment.Token token = desk.token("t-1", "a");
    assertEquals(Failure.UNAUTHENTICATED, desk.refusal(request(WEB, "thief", token)));
    desk.certify(request(WEB, "a", token));
    assertEquals(Failure.UNAUTHENTICATED, desk.refusal(request(DATABASE, "a", token)));
  }

  /** L2, F4 */
  @Test
  void aTakenIdIsRefusedToAnotherKeyAndNothingChanges() {
    desk.certify(request(WEB, "a", secret()));
    List<CertificateEvent> before = List.copyOf(desk.journal);
    Verdict.Refuse refused =
        assertInstanceOf(Verdict.Refuse.class, desk.ask(request(WEB, "b", secret())));
    assertEquals(Failure.AGENT_ID_TAKEN, refused.refused().failure());
    assertEquals(before, desk.journal);
  }

  /** C7: the hash of a public key is one agent's. */
  @Test
  void aKeyIsNeverTwoAgentsAndARefusalDoesNotSayWhoseItIs() {
    desk.certify(request(WEB, "a", secret()));
    Verdict.Refuse refused =
        assertInstanceOf(Verdict.Refuse.class, desk.ask(request(DATABASE, "a", secret())));
    assertEquals(Failure.AGENT_ID_TAKEN, refused.refused().failure());
    assertFalse(refused.refused().message().contains(WEB.value()), refused.refused().message());
  }

  @Test
  void newAgentsAreRefusedAtTheLimitAndKnownOnesAreNot() {
    for (String name : List.of("a", "b", "c")) {
      desk.certify(request(new AgentId(name), name, secret()));
    }
    assertEquals(Failure.LIMIT_REACHED, desk.refusal(request(WEB, "w", secret())));
    desk.certify(request(new AgentId("a"), "a", secret()));
  }

  @Test
  void aRenewedCertificateTakesOverWhenItIsUsed() {
    IssuedCertificate first = joined(WEB, "a");
    IssuedCertificate second = desk.certify(renewal(WEB, "b", first));
    assertEquals(List.of(first, second), desk.identity(WEB).good());
    desk.use(WEB);
    assertEquals(List.of(second), desk.identity(WEB).good());
    assertEquals(2, desk.identity(WEB).generation());
  }

  @Test
  void aRenewalThatIsAskedForAgainGetsTheSameCertificate() {
    IssuedCertificate first = joined(WEB, "a");
    IssuedCertificate second = desk.certify(renewal(WEB, "b", first));
    assertEquals(second, desk.certify(renewal(WEB, "b", first)));
    assertEquals(second, desk.certify(renewal(WEB, "b", second)), "by the new one itself");
  }

  @Test
  void aRenewalNeedsANewKey() {
    IssuedCertificate first = joined(WEB, "a");
    desk.now = desk.now.plus(Duration.ofDays(1));
    desk.certify(request(DATABASE, "d", secret()));
    assertEquals(Failure.INVALID_ARGUMENT, desk.refusal(renewal(WEB, "a", first)));
    assertEquals(Failure.AGENT_ID_TAKEN, desk.refusal(renewal(WEB, "d", first)));
  }

  /** L1 */
  @Test
  void anExpiredOrUnknownOrOtherAgentsCertificateRenewsNothing() {
    IssuedCertificate web = joined(WEB, "a");
    IssuedCertificate database = joined(DATABASE, "d");
    assertEquals(Failure.UNAUTHENTICATED, desk.refusal(renewal(WEB, "b", database)));
    assertEquals(
        Failure.UNAUTHENTICATED,
        desk.refusal(request(WEB, "b", new Payment.Certificate("ff".repeat(16)))));
    assertEquals(
        Failure.FAILED_PRECONDITION, desk.refusal(renewal(new AgentId("nobody"), "b", web)));
    desk.now = web.expiresAt().plusSeconds(1);
    assertEquals(Failure.UNAUTHENTICATED, desk.refusal(renewal(WEB, "b", web)));
  }

  /** L1 */
  @Test
  void aRevokedCertificateRenewsNothing() {
    IssuedCertificate web = joined(WEB, "a");
    desk.operate(desk.operator().revoke(WEB, "lost", TestDesk.OPERATOR, desk.now));
    assertEquals(Failure.FAILED_PRECONDITION, desk.refusal(renewal(WEB, "b", web)));
    assertEquals(Failure.FAILED_PRECONDITION, desk.refusal(request(WEB, "a", secret())));
    assertEquals(List.of(), desk.identity(WEB).good());
  }

  /** L3 */
  @Test
  void aClonedKeyThatRenewsTwiceFreezesTheIdentityAndSaysSo() {
    IssuedCertificate first = joined(WEB, "a");
    desk.certify(renewal(WEB, "b", first));
    Verdict.Refuse refused =
        assertInstanceOf(Verdict.Refuse.class, desk.ask(renewal(WEB, "clone", first)));
    assertEquals(Failure.FAILED_PRECONDITION, refused.refused().failure());
    assertTrue(refused.refused().message().contains("allow-rebind web"));
    assertEquals(IdentityState.FROZEN, desk.identity(WEB).state());
    assertEquals(List.of(), desk.identity(WEB).good(), "neither of the two holders");
  }

  /** L3 */
  @Test
  void aSupersededCertificateThatRenewsFreezesTheIdentity() {
    IssuedCertificate first = joined(WEB, "a");
    desk.certify(renewal(WEB, "b", first));
    desk.use(WEB);
    assertEquals(Failure.FAILED_PRECONDITION, desk.refusal(renewal(WEB, "clone", first)));
    assertEquals(IdentityState.FROZEN, desk.identity(WEB).state());
  }

  @Test
  void theOldKeyHandsItsIdToANewOneAlsoAfterItsCertificateHasExpired() {
    IssuedCertificate first = joined(WEB, "a");
    desk.now = first.expiresAt().plus(Duration.ofDays(30));
    assertEquals(Failure.AGENT_ID_TAKEN, desk.refusal(request(WEB, "b", desk.token("t", "b"))));
    IssuedCertificate second = desk.certify(proved(WEB, "b", desk.token("t", "b"), first));
    desk.use(WEB);
    assertEquals(List.of(second), desk.identity(WEB).good());
  }

  @Test
  void aSupersededKeyProvesNothingAndFreezesTheIdentity() {
    IssuedCertificate first = joined(WEB, "a");
    desk.certify(renewal(WEB, "b", first));
    desk.use(WEB);
    assertEquals(Failure.FAILED_PRECONDITION, desk.refusal(proved(WEB, "c", secret(), first)));
    assertEquals(IdentityState.FROZEN, desk.identity(WEB).state());
  }

  /** Nebula CVE-2026-25793 and its like: a certificate with a known number and other bytes. */
  @Test
  void aProofByACertificateThatIsNotTheOneOfItsNumberProvesNothing() {
    IssuedCertificate first = joined(WEB, "a");
    IssueRequest forged =
        new IssueRequest(
            WEB,
            key("b"),
            secret(),
            Optional.of(new IssueRequest.Previous(first.serial(), TestDesk.fingerprint("forged"))),
            TestDesk.ORIGIN);
    assertEquals(Failure.AGENT_ID_TAKEN, desk.refusal(forged));
    assertEquals(IdentityState.ACTIVE, desk.identity(WEB).state());
  }

  /** Numbers of superseded certificates are in the lists of revoked ones, for anybody to read. */
  @Test
  void whoeverMerelyKnowsTheNumberOfAReplacedCertificateFreezesNothing() {
    IssuedCertificate first = joined(WEB, "a");
    desk.certify(renewal(WEB, "b", first));
    desk.use(WEB);
    IssueRequest forged =
        new IssueRequest(
            WEB,
            key("c"),
            secret(),
            Optional.of(new IssueRequest.Previous(first.serial(), TestDesk.fingerprint("forged"))),
            TestDesk.ORIGIN);
    assertEquals(Failure.AGENT_ID_TAKEN, desk.refusal(forged));
    assertEquals(IdentityState.ACTIVE, desk.identity(WEB).state());
  }

  /** Whoever has stolen a key cannot use it to shut out those who have come back from the theft. */
  @Test
  void aKeyThatWasRevokedOrFrozenDoesNotFreezeWhatHasComeAfterIt() {
    IssuedCertificate stolen = joined(WEB, "a");
    desk.operate(desk.operator().revoke(WEB, "stolen", TestDesk.OPERATOR, desk.now));
    desk.now = desk.now.plusSeconds(60);
    allowRebind(WEB);
    IssuedCertificate back = joined(WEB, "b");
    assertEquals(Failure.AGENT_ID_TAKEN, desk.refusal(proved(WEB, "c", secret(), stolen)));
    assertEquals(List.of(back), desk.identity(WEB).good());

    desk.certify(renewal(WEB, "d", back));
    desk.use(WEB);
    desk.ask(proved(WEB, "e", secret(), back));
    assertEquals(IdentityState.FROZEN, desk.identity(WEB).state(), "that is a second holder");
    desk.now = desk.now.plusSeconds(60);
    allowRebind(WEB);
    joined(WEB, "f");
    assertEquals(Failure.AGENT_ID_TAKEN, desk.refusal(proved(WEB, "g", secret(), back)));
    assertEquals(IdentityState.ACTIVE, desk.identity(WEB).state());
  }

  @Test
  void anAllowanceIsForOneKeyAndForAWhile() {
    IssuedCertificate first = joined(WEB, "a");
    allowRebind(WEB);
    desk.now = desk.now.plus(Duration.ofMinutes(16));
    assertEquals(Failure.AGENT_ID_TAKEN, desk.refusal(request(WEB, "b", secret())));
    allowRebind(WEB);
    IssuedCertificate second = desk.certify(request(WEB, "b", secret()));
    assertEquals(List.of(second), desk.identity(WEB).good(), "the old one ends at once");
    assertEquals(Failure.AGENT_ID_TAKEN, desk.refusal(request(WEB, "c", secret())));
    assertTrue(desk.ledger.ended(WEB, first.serial()).isPresent());
  }

  @Test
  void anAllowanceBringsBackARevokedIdentityForANewKeyOnly() {
    joined(WEB, "a");
    desk.operate(desk.operator().revoke(WEB, "stolen", TestDesk.OPERATOR, desk.now));
    allowRebind(WEB);
    assertEquals(Failure.FAILED_PRECONDITION, desk.refusal(request(WEB, "a", secret())));
    IssuedCertificate back = desk.certify(request(WEB, "b", secret()));
    assertEquals(IdentityState.ACTIVE, desk.identity(WEB).state());
    assertEquals(List.of(back), desk.identity(WEB).good());
  }

  @Test
  void aRevocationEndsAnAllowance() {
    joined(WEB, "a");
    allowRebind(WEB);
    desk.operate(desk.operator().revoke(WEB, "stolen", TestDesk.OPERATOR, desk.now));
    assertEquals(Failure.FAILED_PRECONDITION, desk.refusal(request(WEB, "b", secret())));
  }

  @Test
  void anInvitationIsUsedAsOftenAsItSaysByWhomItSaysUntilItEnds() {
    Secret secret = invite(Optional.of(WEB), CertificateRole.AGENT, 1);
    Payment payment = Payment.Invitation.of(secret);
    assertEquals(Failure.PERMISSION_DENIED, desk.refusal(request(DATABASE, "a", payment)));
    assertEquals(
        Failure.UNAUTHENTICATED,
        desk.refusal(request(WEB, "a", Payment.Invitation.of(InvitationSecrets.next()))));
    IssuedCertificate certificate = desk.certify(request(WEB, "a", payment));
    assertEquals(certificate, desk.certify(request(WEB, "a", payment)), "its answer, again");
    assertEquals(Failure.UNAUTHENTICATED, desk.refusal(request(WEB, "b", payment)));
    assertEquals(
        Invitation.Status.USED,
        desk.ledger.invitations().entries().get(0).invitation().status(desk.now));
  }

  @Test
  void anInvitationThatIsRevokedOrTooOldBuysNothing() {
    Secret revoked = invite(Optional.empty(), CertificateRole.AGENT, 5);
    Invitation invitation = desk.ledger.invitations().entries().get(0).invitation();
    desk.certify(request(WEB, "a", Payment.Invitation.of(revoked)));
    desk.operate(
        desk.operator().revokeInvitation(invitation.invitationId(), TestDesk.OPERATOR, desk.now));
    assertEquals(
        Failure.UNAUTHENTICATED,
        desk.refusal(request(DATABASE, "d", Payment.Invitation.of(revoked))));
    Secret old = invite(Optional.empty(), CertificateRole.AGENT, 5);
    desk.now = desk.now.plus(Duration.ofHours(1));
    assertEquals(
        Failure.UNAUTHENTICATED, desk.refusal(request(DATABASE, "d", Payment.Invitation.of(old))));
  }

  /** Else whoever is shut out comes back as whom it has invited. */
  @Test
  void anOperatorThatIsRevokedOrFrozenTakesItsOpenInvitationsWithIt() {
    AgentId ann = new AgentId("ann");
    Secret operators = invite(Optional.of(ann), CertificateRole.OPERATOR, 1);
    IssuedCertificate first = desk.certify(request(ann, "o", Payment.Invitation.of(operators)));
    desk.use(ann);
    Secret backDoor = invite(Optional.empty(), CertificateRole.OPERATOR, 1);
    desk.operate(desk.operator().revoke(ann, "left", TestDesk.OPERATOR, desk.now));
    assertEquals(
        Failure.UNAUTHENTICATED,
        desk.refusal(request(DATABASE, "d", Payment.Invitation.of(backDoor))));

    allowRebind(ann);
    Secret again = invite(Optional.of(ann), CertificateRole.OPERATOR, 1);
    IssuedCertificate back = desk.certify(request(ann, "p", Payment.Invitation.of(again)));
    desk.use(ann);
    Secret another = invite(Optional.empty(), CertificateRole.AGENT, 1);
    desk.certify(renewal(ann, "q", back));
    desk.use(ann);
    assertEquals(Failure.FAILED_PRECONDITION, desk.refusal(renewal(ann, "r", back)));
    assertEquals(IdentityState.FROZEN, desk.identity(ann).state());
    assertEquals(
        Failure.UNAUTHENTICATED,
        desk.refusal(request(DATABASE, "d", Payment.Invitation.of(another))));
    assertTrue(desk.ledger.ended(ann, first.serial()).isPresent());
  }

  @Test
  void anInvitationGivesItsRoleAndARoleIsForLife() {
    Secret secret = invite(Optional.empty(), CertificateRole.VIEWER, 2);
    desk.certify(request(WEB, "a", Payment.Invitation.of(secret)));
    assertEquals(CertificateRole.VIEWER, desk.identity(WEB).role());
    assertEquals(Failure.AGENT_ID_TAKEN, desk.refusal(request(WEB, "a", secret())));
    desk.use(WEB);
    IssuedCertificate current = desk.identity(WEB).current().orElseThrow();
    desk.certify(renewal(WEB, "b", current));
    assertEquals(CertificateRole.VIEWER, desk.identity(WEB).role());
  }

  @Test
  void invitationsAreBounded() {
    for (int i = 0; i < InvitationBook.MAX_OPEN; i++) {
      invite(Optional.empty(), CertificateRole.AGENT, 1);
    }
    CertificateAuthority.Refusal refusal =
        assertInstanceOf(
            CertificateAuthority.Refusal.class,
            desk.operator()
                .invite(
                    desk.invitation(
                        InvitationSecrets.next(), Optional.empty(), CertificateRole.AGENT, 1),
                    "ffff",
                    desk.now)
                .reply());
    assertEquals(Failure.LIMIT_REACHED, refusal.refused().failure());
    desk.now = desk.now.plus(Duration.ofHours(1));
    invite(Optional.empty(), CertificateRole.AGENT, 1);
  }

  @Test
  void administratorsAreNotInvited() {
    CertificateAuthority.Refusal refusal =
        assertInstanceOf(
            CertificateAuthority.Refusal.class,
            desk.operator()
                .invite(
                    desk.invitation(
                        InvitationSecrets.next(), Optional.empty(), CertificateRole.ADMIN, 1),
                    "ffff",
                    desk.now)
                .reply());
    assertEquals(Failure.PERMISSION_DENIED, refusal.refused().failure());
  }

  /** L6 */
  @Test
  void aRevokedCertificateIsRememberedUntilItsTimeIsUpAndAMarginMore() {
    IssuedCertificate first = joined(WEB, "a");
    desk.operate(desk.operator().revoke(WEB, "lost", TestDesk.OPERATOR, desk.now));
    allowRebind(WEB);
    desk.certify(request(WEB, "b", secret()));
    desk.now = first.expiresAt().plus(CertificateLedger.RETENTION);
    desk.certify(request(DATABASE, "d", secret()));
    assertEquals(
        CertificateLedger.End.REVOKED, desk.ledger.ended(WEB, first.serial()).orElseThrow().end());
    assertTrue(desk.ledger.holder(key("a")).isPresent());
    desk.now = desk.now.plusSeconds(1);
    desk.certify(request(new AgentId("third"), "e", secret()));
    assertTrue(desk.ledger.ended(WEB, first.serial()).isEmpty());
  }

  /** L6: an identity that is revoked stays so however long ago that was. */
  @Test
  void aRevokedIdentityIsNeverForgotten() {
    IssuedCertificate first = joined(WEB, "a");
    desk.operate(desk.operator().revoke(WEB, "lost", TestDesk.OPERATOR, desk.now));
    desk.now = first.expiresAt().plus(Duration.ofDays(365));
    desk.certify(request(DATABASE, "d", secret()));
    assertEquals(Failure.FAILED_PRECONDITION, desk.refusal(request(WEB, "b", secret())));
  }

  @Test
  void whatAnAgentCanMakeTheColonyRememberIsBounded() {
    IssuedCertificate current = joined(WEB, "k0");
    for (int i = 1; i <= IssuingRules.MAX_REPLACED; i++) {
      current = desk.certify(renewal(WEB, "k" + i, current));
      desk.use(WEB);
    }
    assertEquals(Failure.LIMIT_REACHED, desk.refusal(renewal(WEB, "one-more", current)));
    assertEquals(IdentityState.ACTIVE, desk.identity(WEB).state());
  }

  @Test
  void anEventThatContradictsTheLedgerIsADefect() {
    desk.certify(request(WEB, "a", desk.token("t", "a")));
    List.copyOf(desk.journal)
        .forEach(
            event -> assertThrows(IllegalStateException.class, () -> event.applyTo(desk.ledger)));
  }

  /** A colony from before roles and renewal: several certificates for one key. */
  @Test
  void theEventsOfAnOlderColonyLeaveItsAgentsTheirNewestCertificates() {
    for (int i = 1; i <= 3; i++) {
      String serial = String.format("%032x", 100 + i);
      new CertificateEvent.IssuedV1(
              WEB,
              serial,
              key("a"),
              TestDesk.fingerprint(serial),
              "PEM",
              desk.now,
              desk.now.plus(TestDesk.VALIDITY))
          .applyTo(desk.ledger);
    }
    assertEquals(
        List.of(String.format("%032x", 102), String.format("%032x", 103)),
        desk.identity(WEB).good().stream().map(IssuedCertificate::serial).toList());
    assertEquals(Failure.AGENT_ID_TAKEN, desk.refusal(request(WEB, "b", secret())));
    desk.use(WEB);
    desk.now = desk.now.plus(Duration.ofHours(1));
    IssuedCertificate renewed =
        desk.certify(renewal(WEB, "b", desk.identity(WEB).current().orElseThrow()));
    assertEquals(key("b"), renewed.keyHash());
  }

  private IssuedCertificate joined(AgentId agentId, String key) {
    IssuedCertificate certificate = desk.certify(request(agentId, key, secret()));
    desk.use(agentId);
    return certificate;
  }

  private static IssueRequest renewal(AgentId agentId, String key, IssuedCertificate by) {
    return request(agentId, key, new Payment.Certificate(by.serial()));
  }

  private void allowRebind(AgentId agentId) {
    assertInstanceOf(
        CertificateAuthority.RebindAllowed.class,
        desk.operate(
            desk.operator()
                .allowRebind(
                    agentId, Duration.ofMinutes(15), "moved", TestDesk.OPERATOR, desk.now)));
  }

  private int invitations;

  private Secret invite(Optional<AgentId> agentId, CertificateRole role, int uses) {
    Secret secret = InvitationSecrets.next();
    assertInstanceOf(
        CertificateAuthority.InvitationCreated.class,
        desk.operate(
            desk.operator()
                .invite(
                    desk.invitation(secret, agentId, role, uses),
                    String.format("%016x", ++invitations),
                    desk.now)));
    return secret;
  }
}
