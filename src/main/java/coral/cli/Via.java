package coral.cli;

import java.util.Locale;

/** By what a command reaches a colony, the best first. */
public enum Via {
  /** A proxy that runs on this host: no certificate, no handshake. */
  PROXY("proxy"),
  /** The colony's address in the mesh, which this host is a member of. */
  MESH("mesh"),
  /** The colony's port where everybody reaches it. */
  PUBLIC("public port");

  private final String words;

  Via(String words) {
    this.words = words;
  }

  /** For people: {@code public port}. */
  String words() {
    return words;
  }

  /** As options and programs have it. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
