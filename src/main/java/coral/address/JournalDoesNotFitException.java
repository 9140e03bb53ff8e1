package coral.address;

import coral.model.AgentId;
import coral.model.MeshSubnet;
import java.nio.ByteBuffer;

/** The journal holds an address that the configured subnet does not have. */
final class JournalDoesNotFitException extends IllegalStateException {
  private static final long serialVersionUID = 1L;

  JournalDoesNotFitException(AgentId agentId, int hostNumber, MeshSubnet subnet) {
    super(
        "agent %s holds %s (host number %d), which the configured subnet %s does not give to agents: configure the subnet that the addresses came from, or a larger one"
            .formatted(agentId, address(subnet, hostNumber), hostNumber, subnet.ipv4()));
  }

  /** The address that the number would have if the subnet were larger. */
  private static String address(MeshSubnet subnet, int hostNumber) {
    int bits = ByteBuffer.wrap(subnet.ipv4().address().getAddress()).getInt() + hostNumber;
    return "%d.%d.%d.%d".formatted(bits >>> 24, bits >>> 16 & 0xff, bits >>> 8 & 0xff, bits & 0xff);
  }
}
