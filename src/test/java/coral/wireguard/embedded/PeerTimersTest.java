package coral.wireguard.embedded;

import static coral.wireguard.embedded.PeerTimers.Due.FORGET_KEYS;
import static coral.wireguard.embedded.PeerTimers.Due.GIVE_UP;
import static coral.wireguard.embedded.PeerTimers.Due.INITIATE;
import static coral.wireguard.embedded.PeerTimers.Due.KEEPALIVE;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Section 6, with a clock that is a number. */
class PeerTimersTest {
  private static final long SECOND = Duration.ofSeconds(1).toNanos();
  private static final long JITTER = 7;

  private final PeerTimers timers = new PeerTimers(() -> JITTER);

  @Test
  void nothingIsDueWithoutAReason() {
    assertEquals(PeerTimers.NEVER, timers.next());
    assertEquals(Set.of(), timers.due(Long.MAX_VALUE - 1));
  }

  /** Section 6.1: "under no circumstances" more than one initiation in Rekey-Timeout. */
  @Test
  void initiationsKeepTheirDistance() {
    timers.wantHandshake(0);
    timers.wantHandshake(0);
    assertEquals(Set.of(INITIATE), timers.due(0));
    timers.initiationSent(0);
    timers.handshakeCompleted();
    timers.wantHandshake(1);
    assertEquals(5 * SECOND, timers.next());
    assertEquals(Set.of(), timers.due(5 * SECOND - 1));
    assertEquals(Set.of(INITIATE), timers.due(5 * SECOND));
  }

  /** Section 6.4: repeated after Rekey-Timeout and jitter, until Rekey-Attempt-Time. */
  @Test
  void anUnansweredInitiationIsRepeatedForNinetySeconds() {
    timers.wantHandshake(0);
    int sent = 0;
    Set<PeerTimers.Due> due = timers.due(0);
    while (due.equals(Set.of(INITIATE))) {
      timers.initiationSent(now(sent));
      sent++;
      assertEquals(now(sent), timers.next());
      assertEquals(Set.of(), timers.due(now(sent) - 1));
      due = timers.due(now(sent));
    }
    assertEquals(Set.of(GIVE_UP), due);
    assertEquals(18, sent);
    assertEquals(now(18) + 540 * SECOND, timers.next()); // section 6.3: the keys go as well
  }

  private static long now(int attempts) {
    return attempts * (5 * SECOND + JITTER);
  }

  @Test
  void aCompletedHandshakeIsNotRepeated() {
    timers.wantHandshake(0);
    timers.due(0);
    timers.initiationSent(0);
    timers.handshakeCompleted();
    assertEquals(PeerTimers.NEVER, timers.next());
  }

  @Test
  void anotherEndpointIsTriedAtOnce() {
    timers.wantHandshake(0);
    timers.due(0);
    timers.initiationSent(0);
    timers.endpointReplaced(SECOND);
    assertEquals(Set.of(INITIATE), timers.due(SECOND));
  }

  /** Section 6.5: received data is answered within Keepalive-Timeout, at the latest by nothing. */
  @Test
  void receivedDataIsAnsweredByAKeepalive() {
    timers.dataReceived(0);
    assertEquals(Set.of(), timers.due(10 * SECOND - 1));
    assertEquals(Set.of(KEEPALIVE), timers.due(10 * SECOND));
    timers.authenticatedSent(10 * SECOND);
    assertEquals(PeerTimers.NEVER, timers.next());
  }

  @Test
  void dataThatIsSentMakesTheKeepaliveNeedless() {
    timers.dataReceived(0);
    timers.authenticatedSent(SECOND);
    assertEquals(PeerTimers.NEVER, timers.next());
  }

  @Test
  void moreDataMeansOneMoreKeepalive() {
    timers.dataReceived(0);
    timers.dataReceived(SECOND);
    assertEquals(Set.of(KEEPALIVE), timers.due(10 * SECOND));
    assertEquals(20 * SECOND, timers.next());
  }

  /** Section 6.5: silence after data that was sent means a new handshake. */
  @Test
  void unansweredDataCallsForAHandshake() {
    timers.dataSent(0);
    timers.dataSent(SECOND);
    assertEquals(Set.of(), timers.due(15 * SECOND));
    assertEquals(Set.of(INITIATE), timers.due(15 * SECOND + JITTER));
  }

  @Test
  void anyAnswerEndsTheSuspicion() {
    timers.dataSent(0);
    timers.authenticatedReceived(SECOND);
    assertEquals(PeerTimers.NEVER, timers.next());
  }

  /** Section 6.3. */
  @Test
  void keysAreForgottenThreeTimesRejectAfterTimeAfterTheLastSession() {
    timers.sessionDerived(0);
    timers.sessionDerived(SECOND);
    assertEquals(Set.of(), timers.due(540 * SECOND));
    assertEquals(Set.of(FORGET_KEYS), timers.due(541 * SECOND));
  }

  /** Section 6.5: persistent keepalives, from the last packet of either direction. */
  @Test
  void persistentKeepalivesBeginAtOnceAndFollowTheLastPacket() {
    timers.setPersistentInterval(25 * SECOND, 0);
    assertEquals(Set.of(KEEPALIVE), timers.due(0));
    assertEquals(25 * SECOND, timers.next());
    timers.authenticatedReceived(10 * SECOND);
    assertEquals(35 * SECOND, timers.next());
    timers.authenticatedSent(20 * SECOND);
    assertEquals(45 * SECOND, timers.next());
    timers.setPersistentInterval(25 * SECOND, 21 * SECOND);
    assertEquals(45 * SECOND, timers.next());
    timers.setPersistentInterval(0, 22 * SECOND);
    assertEquals(PeerTimers.NEVER, timers.next());
  }
}
