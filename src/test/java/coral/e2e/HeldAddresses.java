package coral.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.api.colony.v1.Allocation;
import coral.api.colony.v1.ListAllocationsRequest;
import coral.api.colony.v1.ListAllocationsResponse;
import coral.colony.ColonyFiles;
import coral.e2e.WitnessAgent.Address;
import coral.model.MeshAddresses;
import coral.model.MeshSubnet;
import coral.rpc.ConnectClient;
import coral.rpc.RpcException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** Who holds which address, by agent id. */
final class HeldAddresses {
  /** What a colony has unless it is told otherwise. */
  static final MeshSubnet SUBNET = MeshSubnet.parse("10.42.0.0/16", "fd42::/64");

  private HeldAddresses() {}

  /** As the colony tells its administrator: nothing twice, and nothing that no agent may hold. */
  static Map<String, Address> listed(ConnectClient administrator) throws RpcException {
    Map<String, Address> byAgent = new HashMap<>();
    Set<Integer> numbers = new HashSet<>();
    ListAllocationsResponse page;
    String token = "";
    do {
      page =
          administrator.call(
              "coral.colony.v1.ColonyService/ListAllocations",
              ListAllocationsRequest.newBuilder().setPageSize(100).setPageToken(token).build(),
              ListAllocationsResponse.parser());
      for (Allocation each : page.getAllocationsList()) {
        int number = hostNumber(each.getIpAddress());
        assertTrue(SUBNET.isAgentHostNumber(number), each::toString);
        MeshAddresses both = SUBNET.addresses(number);
        Address address = new Address(each.getIpAddress(), each.getIpv6Address());
        assertEquals(new Address(both.ipv4Text(), both.ipv6Text()), address, each::toString);
        assertTrue(numbers.add(number), () -> each + " is held twice");
        assertNull(byAgent.put(each.getAgentId(), address), () -> each + " holds two");
      }
      token = page.getNextPageToken();
    } while (!token.isEmpty());
    assertEquals(page.getTotal(), byAgent.size(), "the total");
    return byAgent;
  }

  private static int hostNumber(String ipv4) {
    String[] parts = ipv4.split("\\.", -1);
    return Integer.parseInt(parts[2]) << 8 | Integer.parseInt(parts[3]);
  }

  /** The IPv4 addresses. */
  static Map<String, String> ipv4(Map<String, Address> held) {
    Map<String, String> addresses = new HashMap<>();
    held.forEach((agent, address) -> addresses.put(agent, address.ipv4()));
    return addresses;
  }

  /** The IPv4 addresses in the table of RFD 019, of a colony that does not run. */
  static Map<String, String> inTable(Path directory) throws SQLException {
    Map<String, String> rows = new HashMap<>();
    try (Connection connection =
            DriverManager.getConnection("jdbc:duckdb:" + new ColonyFiles(directory).database());
        Statement statement = connection.createStatement();
        ResultSet result =
            statement.executeQuery("SELECT agent_id, ip_address FROM agent_ip_allocations")) {
      while (result.next()) {
        rows.put(result.getString(1), result.getString(2));
      }
    }
    return rows;
  }
}
