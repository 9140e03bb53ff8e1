package coral.ownership;

import coral.model.Secret;
import java.util.List;
import java.util.Map;

/**
 * RegisterColony, with the texts of the request as they are.
 *
 * @param meshIpv6 empty for a mesh without IPv6
 * @param connectPort of the colony's gRPC port
 */
public record AnnouncementStatement(
    String meshId,
    String wireGuardKey,
    List<String> endpoints,
    String meshIpv4,
    String meshIpv6,
    int connectPort,
    Map<String, String> metadata,
    Secret secret)
    implements OwnerStatement {
  /** Copies what could be changed. */
  public AnnouncementStatement {
    endpoints = List.copyOf(endpoints);
    metadata = Map.copyOf(metadata);
  }

  @Override
  public byte[] bytes(long sequence) {
    return new StatementWriter("RegisterColony", sequence)
        .text(meshId)
        .text(wireGuardKey)
        .texts(endpoints)
        .text(meshIpv4)
        .text(meshIpv6)
        .number(connectPort)
        .entries(metadata)
        .text(secret.reveal())
        .toByteArray();
  }
}
