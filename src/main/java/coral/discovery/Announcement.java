package coral.discovery;

import coral.model.Addresses;
import coral.model.ColonyId;
import coral.model.Endpoint;
import coral.model.WireGuardKey;
import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a colony says about itself.
 *
 * @param endpoints of its WireGuard socket, 1 to {@value #MAX_ENDPOINTS}, best first
 * @param meshIpv4 its own address in the mesh
 * @param meshIpv6 its own address in the mesh; empty for a mesh without IPv6
 * @param connectPort of its gRPC port, on the hosts of the endpoints
 * @param metadata at most {@value #MAX_METADATA} entries
 */
record Announcement(
    ColonyId meshId,
    WireGuardKey wireGuardKey,
    List<Endpoint> endpoints,
    Inet4Address meshIpv4,
    Optional<Inet6Address> meshIpv6,
    int connectPort,
    Map<String, String> metadata) {
  static final int MAX_ENDPOINTS = 16;

  /** Length of one endpoint in bytes. */
  static final int MAX_ENDPOINT_BYTES = 255;

  static final int MAX_METADATA = 32;

  /** Length of a metadata key and of a value, each, in bytes of UTF-8. */
  static final int MAX_METADATA_BYTES = 255;

  /**
   * Checks every bound.
   *
   * @throws IllegalArgumentException naming the field that is out of bounds
   */
  Announcement {
    endpoints = List.copyOf(endpoints);
    metadata = Map.copyOf(metadata);
    if (endpoints.isEmpty() || endpoints.size() > MAX_ENDPOINTS) {
      throw new IllegalArgumentException(
          "public_endpoints has 1 to " + MAX_ENDPOINTS + " entries, not " + endpoints.size());
    }
    for (Endpoint endpoint : endpoints) {
      if (endpoint.toString().length() > MAX_ENDPOINT_BYTES) {
        throw new IllegalArgumentException(
            "an endpoint has at most " + MAX_ENDPOINT_BYTES + " bytes");
      }
    }
    if (connectPort < 1 || connectPort > 65535) {
      throw new IllegalArgumentException("connect_port is 1 to 65535, not " + connectPort);
    }
    if (metadata.size() > MAX_METADATA) {
      throw new IllegalArgumentException(
          "metadata has at most " + MAX_METADATA + " entries, not " + metadata.size());
    }
    metadata.forEach(
        (key, value) -> {
          if (key.isEmpty() || tooLong(key) || tooLong(value)) {
            throw new IllegalArgumentException(
                "a metadata key has 1 to "
                    + MAX_METADATA_BYTES
                    + " bytes, a value at most "
                    + MAX_METADATA_BYTES);
          }
        });
  }

  /** The address, if it is of IPv4. */
  static Inet4Address ipv4(InetAddress address) {
    if (address instanceof Inet4Address ipv4) {
      return ipv4;
    }
    throw new IllegalArgumentException("mesh_ipv4 is not IPv4: " + Addresses.text(address));
  }

  static Inet6Address ipv6(InetAddress address) {
    if (address instanceof Inet6Address ipv6) {
      return ipv6;
    }
    throw new IllegalArgumentException("mesh_ipv6 is not IPv6: " + Addresses.text(address));
  }

  private static boolean tooLong(String text) {
    return text.getBytes(StandardCharsets.UTF_8).length > MAX_METADATA_BYTES;
  }
}
