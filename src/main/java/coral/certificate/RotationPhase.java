package coral.certificate;

/**
 * How far one root has followed another. Each phase is reached from its neighbours only, forward or
 * back, and is on disk before it has an effect.
 */
public enum RotationPhase {
  /** There is one root. */
  STABLE,
  /** The next root is in the trust bundle, and signs nothing. */
  PREPARED,
  /** As before, and every agent has said that it trusts the bundle. */
  DISTRIBUTED,
  /** The next root signs; what the former one signed is as good as ever. */
  ACTIVE,
  /** As before, and agents are told to renew what comes from the former root. */
  DRAINING,
  /** The former root is no longer trusted. Its key is kept until yet another root is prepared. */
  RETIRED;

  boolean nextSigns() {
    return compareTo(ACTIVE) >= 0;
  }
}
