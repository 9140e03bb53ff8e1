package coral.proxy;

/** How a colony is reached. */
public enum Way {
  /** At its address in the mesh, through this host's tunnel. */
  MESH("over mesh"),
  /** At its public port, without a tunnel. */
  PUBLIC("over the public port");

  private final String text;

  Way(String text) {
    this.text = text;
  }

  /** For people: {@code over mesh}. */
  @Override
  public String toString() {
    return text;
  }
}
