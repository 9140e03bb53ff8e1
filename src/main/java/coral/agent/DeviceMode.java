package coral.agent;

/** Where the agent's tunnel ends. */
public enum DeviceMode {
  /** At an interface of the host where that is possible, else inside the process. */
  AUTO,
  /** At a network interface of the host. */
  TUN,
  /** Inside the process, which then answers and sends ICMP echo and nothing else. */
  USER_SPACE
}
