package coral.agent;

/**
 * What joining consists of, in order. From {@link #CREATE_INTERFACE} on these are the six steps of
 * RFD 019; those before need the network only.
 */
enum JoinStep {
  FIND_COLONY("find colony"),
  CERTIFICATE("certificate"),
  /** Opens the connection that the registration uses, so that nothing is paid for twice. */
  REACH_COLONY("reach colony"),
  /** No address and no peer yet. */
  CREATE_INTERFACE("create interface"),
  REGISTER("register"),
  ASSIGN_ADDRESSES("assign addresses"),
  ADD_COLONY("add colony as peer"),
  PROBE_TUNNEL("probe tunnel"),
  OPEN_SESSION("open session");

  private final String words;

  JoinStep(String words) {
    this.words = words;
  }

  /** The step in words, as logs and reports name it. */
  String words() {
    return words;
  }

  /** The one after this; {@link #OPEN_SESSION}, the last, is its own. */
  JoinStep next() {
    return switch (this) {
      case FIND_COLONY -> CERTIFICATE;
      case CERTIFICATE -> REACH_COLONY;
      case REACH_COLONY -> CREATE_INTERFACE;
      case CREATE_INTERFACE -> REGISTER;
      case REGISTER -> ASSIGN_ADDRESSES;
      case ASSIGN_ADDRESSES -> ADD_COLONY;
      case ADD_COLONY -> PROBE_TUNNEL;
      case PROBE_TUNNEL, OPEN_SESSION -> OPEN_SESSION;
    };
  }
}
