package coral.wireguard.embedded;

import coral.linux.TunDevice;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Where a device's own end of its tunnels is. */
public enum DeviceMode {
  /** At a network interface of the host where that is possible, else inside the process. */
  AUTO,
  /** At a network interface of the host. */
  TUN,
  /**
   * Inside the process, which then answers and sends ICMP echo and nothing else. A hub forwards
   * between its peers all the same.
   */
  USER_SPACE;

  private static final Logger LOG = LoggerFactory.getLogger(DeviceMode.class);

  /** What keeps this process from making a network interface, for people; empty if nothing does. */
  public static String unavailableReason() {
    return TunDevice.unavailableReason();
  }

  /** {@link #TUN} or {@link #USER_SPACE}: what {@link #AUTO} comes to on the calling thread. */
  public DeviceMode resolved() {
    if (this != AUTO) {
      return this;
    }
    String reason = unavailableReason();
    if (reason.isEmpty()) {
      return TUN;
    }
    LOG.warn(
        "No network interface can be made here ({}): the tunnel ends inside this process, which"
            + " answers and sends ICMP echo only",
        reason);
    return USER_SPACE;
  }
}
