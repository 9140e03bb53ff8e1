package coral.wireguard;

/**
 * What a device is opened with.
 *
 * @param interfaceName 1 to 15 characters, as Linux has it; only a label without a TUN device
 * @param listenPort 0 to 65535; 0 lets the system choose
 * @param mtu of the packets inside the tunnel, 1280 (the least of IPv6, RFC 8200 section 5) to
 *     65,000; 1420 fits any path of 1500
 * @param forwarding whether packets from one peer to another are passed on inside the device: a hub
 */
public record DeviceSettings(
    String interfaceName, KeyPair keys, int listenPort, int mtu, boolean forwarding) {
  /** What fits into 1500 bytes with an outer IPv6 header. */
  public static final int DEFAULT_MTU = 1420;

  private static final int MAX_NAME_LENGTH = 15;
  private static final int MIN_MTU = 1280;
  private static final int MAX_MTU = 65_000;

  /**
   * @throws IllegalArgumentException if a value is out of bounds
   */
  public DeviceSettings {
    if (!interfaceName.matches("[A-Za-z0-9][A-Za-z0-9._-]*")
        || interfaceName.length() > MAX_NAME_LENGTH) {
      throw new IllegalArgumentException(
          "an interface name has 1 to 15 letters, digits, '.', '_' or '-', not '"
              + interfaceName
              + "'");
    }
    if (listenPort < 0 || listenPort > 65535) {
      throw new IllegalArgumentException("a listen port is 0 to 65535, not " + listenPort);
    }
    if (mtu < MIN_MTU || mtu > MAX_MTU) {
      throw new IllegalArgumentException("an MTU is 1280 to 65000, not " + mtu);
    }
  }
}
