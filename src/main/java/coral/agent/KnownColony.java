package coral.agent;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import coral.model.ColonyId;
import coral.model.Endpoint;
import coral.model.Fingerprint;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What an agent remembers of its colony from one start to the next.
 *
 * @param pin the authority that the operator gave at the first contact
 * @param discovery where the operator said to look the colony up
 * @param endpoints of the colony's gRPC port where it was reached last, for when discovery is down
 * @param addresses the agent's own, as last given; shown when they change, never assumed
 * @param paidWith {@link Payment#kind} of the certificate
 */
record KnownColony(
    ColonyId colonyId,
    Fingerprint pin,
    Optional<DiscoveryAddress> discovery,
    List<Endpoint> endpoints,
    Optional<String> addresses,
    Optional<String> paidWith) {
  private static final ObjectMapper JSON = new ObjectMapper();

  KnownColony {
    endpoints = List.copyOf(endpoints);
  }

  /** JSON, which is also the syntax of a {@code .conf} file. */
  byte[] toBytes() {
    ObjectNode json = JSON.createObjectNode();
    json.put("colony-id", colonyId.value());
    json.put("ca-fingerprint", pin.value());
    discovery.ifPresent(
        address -> {
          json.put("discovery", address.uri().toString());
          address.pin().ifPresent(given -> json.put("discovery-fingerprint", given.value()));
        });
    ArrayNode list = json.putArray("endpoints");
    endpoints.forEach(endpoint -> list.add(endpoint.toString()));
    addresses.ifPresent(text -> json.put("addresses", text));
    paidWith.ifPresent(text -> json.put("certificate-paid-with", text));
    return (json.toPrettyString() + "\n").getBytes(StandardCharsets.UTF_8);
  }

  /**
   * @throws IOException if the bytes are not what {@link #toBytes} writes
   */
  static KnownColony parse(byte[] bytes) throws IOException {
    JsonNode json = JSON.readTree(bytes);
    try {
      List<Endpoint> endpoints = new ArrayList<>();
      json.path("endpoints").forEach(node -> endpoints.add(Endpoint.parse(node.asText())));
      return new KnownColony(
          new ColonyId(json.path("colony-id").asText()),
          new Fingerprint(json.path("ca-fingerprint").asText()),
          text(json, "discovery")
              .map(
                  uri ->
                      new DiscoveryAddress(
                          URI.create(uri),
                          text(json, "discovery-fingerprint").map(Fingerprint::new))),
          endpoints,
          text(json, "addresses"),
          text(json, "certificate-paid-with"));
    } catch (IllegalArgumentException e) {
      throw new IOException(e.getMessage(), e);
    }
  }

  private static Optional<String> text(JsonNode json, String name) {
    return Optional.ofNullable(json.get(name)).map(JsonNode::asText);
  }
}
