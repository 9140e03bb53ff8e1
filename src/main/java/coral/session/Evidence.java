package coral.session;

/** Where a host's connections were read. */
public enum Evidence {
  /** The kernel's table of sockets: TCP only, without bytes. */
  TCP_TABLE("tcp-table"),
  /** The kernel's connection tracking: who opened what, and where it counts, how many bytes. */
  CONNTRACK("conntrack");

  private final String wireName;

  Evidence(String wireName) {
    this.wireName = wireName;
  }

  /** As it is called between agents, colonies and people. */
  public String wireName() {
    return wireName;
  }
}
