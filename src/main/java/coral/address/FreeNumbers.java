package coral.address;

import coral.model.MeshSubnet;
import java.util.BitSet;

/** The host numbers that nobody holds, as a batch goes on to take some and to free others. */
final class FreeNumbers {
  private final AllocationTable table;

  /** Held in the table, and set free by the batch. */
  private final BitSet freed = new BitSet();

  /** Free in the table, and taken by the batch. */
  private final BitSet taken = new BitSet();

  /** No number below is free but those in {@link #freed}. */
  private int cursor = MeshSubnet.FIRST_AGENT_HOST_NUMBER;

  FreeNumbers(AllocationTable table) {
    this.table = table;
  }

  boolean has(int number) {
    return table.isHeld(number) ? freed.get(number) : !taken.get(number);
  }

  /** Takes the lowest of them; there has to be one. */
  int takeLowest() {
    cursor = lowestUntaken(cursor);
    int lowestFreed = freed.nextSetBit(0);
    int number = lowestFreed >= 0 && lowestFreed < cursor ? lowestFreed : cursor;
    take(number);
    return number;
  }

  void take(int number) {
    if (table.isHeld(number)) {
      freed.clear(number);
    } else {
      taken.set(number);
    }
  }

  void free(int number) {
    if (table.isHeld(number)) {
      freed.set(number);
    } else {
      taken.clear(number);
      cursor = Math.min(cursor, number);
    }
  }

  private int lowestUntaken(int from) {
    int number = table.lowestFree(from).orElse(Integer.MAX_VALUE);
    while (taken.get(number)) {
      number = table.lowestFree(number + 1).orElse(Integer.MAX_VALUE);
    }
    return number;
  }
}
