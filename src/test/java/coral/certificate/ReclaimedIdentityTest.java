package coral.certificate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.model.AgentId;
import coral.model.Failure;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** An id that another key has claimed: its former holder's WireGuard key must not come back. */
class ReclaimedIdentityTest {
  private static final AgentId WEB = new AgentId("web");

  private final TestDesk desk = new TestDesk(10);

  private IssuedCertificate claimedAnew() {
    desk.certify(TestDesk.request(WEB, "former", TestDesk.secret()));
    desk.use(WEB);
    desk.operate(
        desk.operator()
            .allowRebind(WEB, Duration.ofHours(1), "new disk", TestDesk.OPERATOR, desk.now));
    IssuedCertificate claimed = desk.certify(TestDesk.request(WEB, "new", TestDesk.secret()));
    assertTrue(desk.identity(WEB).awaitsRegistration());
    return claimed;
  }

  @Test
  void aRenewalBeforeTheNewHolderHasRegisteredIsRefusedAndBarsOn() {
    IssuedCertificate claimed = claimedAnew();
    Payment paying = new Payment.Certificate(claimed.serial());
    assertEquals(Failure.FAILED_PRECONDITION, desk.refusal(TestDesk.request(WEB, "newer", paying)));
    assertEquals(IdentityState.ACTIVE, desk.identity(WEB).state(), "it is no theft");
    assertTrue(desk.identity(WEB).awaitsRegistration());
    desk.use(WEB); // it has registered
    desk.certify(TestDesk.request(WEB, "newer", paying));
    assertFalse(desk.identity(WEB).awaitsRegistration());
  }

  @Test
  void aRecoveryBeforeTheNewHolderHasRegisteredBarsOn() {
    IssuedCertificate claimed = claimedAnew();
    desk.now = desk.now.plus(TestDesk.VALIDITY).plusSeconds(1);
    IssuedCertificate recovered =
        desk.certify(TestDesk.proved(WEB, "newer", TestDesk.secret(), claimed));
    assertTrue(desk.identity(WEB).awaitsRegistration());
    desk.use(WEB);
    assertEquals(recovered, desk.identity(WEB).current().orElseThrow());
    assertFalse(desk.identity(WEB).awaitsRegistration());
  }
}
