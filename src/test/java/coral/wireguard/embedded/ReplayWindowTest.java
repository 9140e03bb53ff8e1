package coral.wireguard.embedded;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ReplayWindowTest {
  /** Against a set of all that was accepted; steps around the window's size and its words. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void itAcceptsWhatASetWould(long seed) {
    Random random = new Random(seed);
    ReplayWindow window = new ReplayWindow();
    Set<Long> accepted = new HashSet<>();
    long greatest = 0;
    int[] reaches = {3, 64, 1000, ReplayWindow.SIZE + 70, 3 * ReplayWindow.SIZE};
    for (int i = 0; i < 50_000; i++) {
      int reach = reaches[random.nextInt(reaches.length)];
      long counter = Math.max(0, greatest + random.nextInt(2 * reach + 1) - reach);
      boolean expected = counter >= greatest - ReplayWindow.SIZE && !accepted.contains(counter);
      String context = "seed " + seed + ", step " + i + ", counter " + counter;
      assertEquals(expected, window.isAcceptable(counter), context);
      assertEquals(expected, window.accept(counter), context);
      if (expected) {
        accepted.add(counter);
        greatest = Math.max(greatest, counter);
      }
    }
  }

  @Test
  void countersFromRejectAfterMessagesOnAreRefused() {
    ReplayWindow window = new ReplayWindow();
    long last = Constants.REJECT_AFTER_MESSAGES - 1;
    assertFalse(window.isAcceptable(-1));
    assertFalse(window.isAcceptable(Constants.REJECT_AFTER_MESSAGES));
    assertTrue(window.accept(last));
    assertFalse(window.accept(last));
    assertTrue(window.accept(last - ReplayWindow.SIZE));
    assertFalse(window.accept(last - ReplayWindow.SIZE - 1));
    assertFalse(window.accept(0));
  }
}
