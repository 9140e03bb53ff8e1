package coral.wireguard.embedded;

/**
 * What a handshake ends in.
 *
 * @param receiver the other side's index, which our transport data names
 */
@SuppressWarnings("ArrayRecordComponent") // compared by nobody
record SessionKeys(byte[] send, byte[] receive, int receiver) {
  @Override
  public String toString() {
    return "SessionKeys[hidden]";
  }
}
