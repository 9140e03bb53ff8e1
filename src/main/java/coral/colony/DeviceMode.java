package coral.colony;

/** Where the hub's own end of the tunnels is. */
public enum DeviceMode {
  /** At an interface of the host where that is possible, else inside the process. */
  AUTO,
  /** At a network interface of the host. */
  TUN,
  /** Inside the process, which answers ICMP echo itself and forwards between agents. */
  USER_SPACE
}
