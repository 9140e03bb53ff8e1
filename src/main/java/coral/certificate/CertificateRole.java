package coral.certificate;

import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Locale;
import java.util.Optional;

/**
 * What the holder of a client certificate is to its colony. An id has one role for life, bound by
 * its first certificate, which says it: {@code spiffe://<colony-id>/<role>/<id>}.
 */
public enum CertificateRole {
  /** A member of the mesh. */
  AGENT,
  /** A member of the mesh that speaks for others. */
  PROXY,
  /** Reads. */
  VIEWER,
  /** Reads, invites and revokes. */
  OPERATOR,
  /** Does everything. */
  ADMIN;

  /** The name in certificates, in the protocol and in the journal. */
  @JsonValue
  public String wireName() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Whether the holder has an address in the mesh, and with it a WireGuard peer. */
  boolean isMember() {
    return this == AGENT || this == PROXY;
  }

  /** The role of this name; empty if there is none. */
  public static Optional<CertificateRole> of(String wireName) {
    for (CertificateRole role : values()) {
      if (role.wireName().equals(wireName)) {
        return Optional.of(role);
      }
    }
    return Optional.empty();
  }

  @Override
  public String toString() {
    return wireName();
  }
}
