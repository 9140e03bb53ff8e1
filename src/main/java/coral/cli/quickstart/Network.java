package coral.cli.quickstart;

import coral.model.Endpoint;
import java.io.IOException;
import java.util.List;

/** Where the processes of a quickstart live and how they reach each other. */
interface Network extends Cleanup.Resource {
  /** One line for people. */
  String description();

  /** Whether the agents' tunnels end at a network interface, rather than inside their processes. */
  boolean hasInterfaces();

  /** Where discovery and the colony live. */
  Place hub();

  /**
   * Where an agent lives; made on demand.
   *
   * @param number from 1
   */
  Place agent(int number) throws IOException;

  /** The ports of discovery and the colony. */
  Ports ports();

  /** The addresses at which agents reach the hub, best first. */
  List<String> hubAddresses();

  /** Makes the colony's port reachable for the user of this host. */
  Endpoint exposed() throws IOException;

  /** Removes everything; no exception. */
  @Override
  void close();

  /**
   * The ports at the hub.
   *
   * @param discovery TCP
   * @param colony TCP
   * @param wireGuard UDP
   * @param management TCP, loopback only
   * @param cluster TCP, loopback only
   */
  record Ports(int discovery, int colony, int wireGuard, int management, int cluster) {}
}
