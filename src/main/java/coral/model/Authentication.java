package coral.model;

import com.fasterxml.jackson.annotation.JsonValue;

/** How somebody who asks for an address has proved who it is, the strongest proof first. */
public enum Authentication {
  /** The client certificate of its connection. */
  CERTIFICATE("certificate"),
  /** A registration token alone (RFD 020, token draft); for migration. */
  TOKEN("token"),
  /** The colony's secret, which all agents share; for migration. */
  COLONY_SECRET("colony-secret");

  private final String wireName;

  Authentication(String wireName) {
    this.wireName = wireName;
  }

  /** The name in the protocol and in the journal. */
  @JsonValue
  public String wireName() {
    return wireName;
  }

  /** Whether it proves less than another. */
  public boolean isWeakerThan(Authentication other) {
    return compareTo(other) > 0;
  }

  @Override
  public String toString() {
    return wireName;
  }
}
