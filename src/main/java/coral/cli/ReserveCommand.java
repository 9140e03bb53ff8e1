package coral.cli;

import coral.api.colony.v1.Allocation;
import coral.api.colony.v1.ReserveAddressRequest;
import coral.api.colony.v1.ReserveAddressResponse;
import coral.model.AgentId;
import coral.model.Failure;
import coral.model.IpPrefix;
import java.net.InetAddress;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.TypeConversionException;

/** {@code coral reserve}. */
@Command(
    name = "reserve",
    description = {
      "Hold a mesh address for an agent that has not joined yet.",
      "",
      "The agent gets this address when it joins, and nobody else does. An agent that has an"
          + " address keeps it: release it first. 'coral release' ends a reservation."
    },
    footer = {
      "JSON: {agentId, ipAddress, ipv6Address, allocatedAt, lastSeen, reserved}; as in",
      "'coral allocations'.",
      "",
      "Examples:",
      "  coral reserve db-1 10.42.0.50",
      "  coral reserve db-1 fd42::32 && coral invite --agent db-1"
    })
final class ReserveCommand implements Callable<Integer> {
  @Mixin private QueryOptions options = new QueryOptions();

  @Parameters(
      index = "0",
      paramLabel = "AGENT-ID",
      converter = AgentIdConverter.class,
      description = "The id that the agent will have.")
  private @Nullable AgentId agent;

  @Parameters(
      index = "1",
      paramLabel = "ADDRESS",
      converter = Address.class,
      description = "A free IPv4 or IPv6 address of the mesh; it stands for both.")
  private @Nullable InetAddress address;

  @Override
  public Integer call() {
    AgentId id = Objects.requireNonNull(agent, "demanded by the parser");
    InetAddress wanted = Objects.requireNonNull(address, "demanded by the parser");
    Allocation reserved =
        options
            .connect()
            .ask(
                Services.COLONY + "ReserveAddress",
                ReserveAddressRequest.newBuilder()
                    .setAgentId(id.value())
                    .setIpAddress(wanted.getHostAddress())
                    .build(),
                ReserveAddressResponse.parser(),
                Map.of(
                    Failure.FAILED_PRECONDITION,
                    "'coral allocations' shows who holds what; 'coral release AGENT-ID' frees it."))
            .getAllocation();
    return options.answer(() -> AllocationsCommand.json(reserved), () -> text(reserved));
  }

  static String text(Allocation reserved) {
    return "%s and %s are held for %s.%n"
        .formatted(reserved.getIpAddress(), reserved.getIpv6Address(), reserved.getAgentId());
  }

  /** Not {@link InetAddress}'s own: that would ask a name server for a name. */
  static final class Address implements ITypeConverter<InetAddress> {
    @Override
    public InetAddress convert(String value) {
      try {
        return IpPrefix.parseAddress(value);
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(e.getMessage());
      }
    }
  }
}
