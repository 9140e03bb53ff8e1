package coral.rpc;

import java.util.Optional;

/**
 * In what capacity a caller calls; proved by its certificate alone, whose URI is {@code
 * spiffe://<colony-id>/<role>/<id>}.
 */
public enum Role {
  /** Whoever reaches the port and shows no certificate. */
  ANYONE("anyone"),
  /** A member of the mesh. */
  AGENT("agent"),
  /** A member of the mesh that speaks for others. */
  PROXY("proxy"),
  /** Reads. */
  VIEWER("viewer"),
  /** Reads, invites and revokes. */
  OPERATOR("operator"),
  /** Does everything. */
  ADMINISTRATOR("admin");

  private final String wireName;

  Role(String wireName) {
    this.wireName = wireName;
  }

  /** The name in certificates and in records. */
  public String wireName() {
    return wireName;
  }

  /** Whether the holder has an address in the mesh. */
  public boolean isMember() {
    return this == AGENT || this == PROXY;
  }

  /** The role of this name in a certificate; empty if there is none. */
  static Optional<Role> ofCertificate(String wireName) {
    for (Role role : values()) {
      if (role != ANYONE && role.wireName.equals(wireName)) {
        return Optional.of(role);
      }
    }
    return Optional.empty();
  }
}
