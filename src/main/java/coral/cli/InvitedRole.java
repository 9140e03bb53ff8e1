package coral.cli;

import java.util.Locale;

/** What a guest can be invited as. Administrators are made on the colony's own host. */
enum InvitedRole {
  AGENT,
  PROXY,
  VIEWER,
  OPERATOR;

  /** As the protocol and people write it. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
