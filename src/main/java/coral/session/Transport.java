package coral.session;

import java.util.Locale;

/** What a connection runs over. */
public enum Transport {
  TCP,
  UDP;

  /** As it is called between agents, colonies and people. */
  public String wireName() {
    return name().toLowerCase(Locale.ROOT);
  }
}
