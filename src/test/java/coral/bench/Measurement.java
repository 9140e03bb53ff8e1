package coral.bench;

import java.util.Optional;

/**
 * One line of the table.
 *
 * @param aim what it should be; empty if it is there for comparison only
 */
record Measurement(String what, double value, String unit, Optional<Aim> aim) {
  /** A bound that a value should keep. */
  record Aim(double bound, boolean atLeast) {
    boolean isMet(double value) {
      return atLeast ? value >= bound : value <= bound;
    }

    /** Above 1 is better than the bound. */
    double ratio(double value) {
      return atLeast ? value / bound : bound / value;
    }
  }

  static Measurement of(String what, double value, String unit) {
    return new Measurement(what, value, unit, Optional.empty());
  }

  Measurement atLeast(double bound) {
    return new Measurement(what, value, unit, Optional.of(new Aim(bound, true)));
  }

  Measurement atMost(double bound) {
    return new Measurement(what, value, unit, Optional.of(new Aim(bound, false)));
  }

  @Override
  public String toString() {
    String measured = "%-64s %,11.1f %-4s".formatted(what, value, unit);
    return aim.map(
            a ->
                measured
                    + " %s %,8.0f  %s (%.2f)"
                        .formatted(
                            a.atLeast() ? ">=" : "<=",
                            a.bound(),
                            a.isMet(value) ? "met" : "MISSED",
                            a.ratio(value)))
        .orElse(measured);
  }
}
