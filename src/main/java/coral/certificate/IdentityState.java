package coral.certificate;

/** Whether the certificates of an identity are good. */
public enum IdentityState {
  /** They are. */
  ACTIVE,
  /** Two holders of its key have shown up: none is good until somebody decides. */
  FROZEN,
  /** Ended by somebody with the right to. */
  REVOKED
}
