package coral.agent;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import coral.model.ColonyId;
import coral.model.Endpoint;
import coral.model.Fingerprint;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What an agent remembers of its colony from one start to the next.
 *
 * @param pin the colony's certificate authority
 * @param endpoints of the colony's gRPC port where it was reached last, for when discovery is down
 * @param addresses the agent's own, as last given; shown when they change, never assumed
 */
record KnownColony(
    ColonyId colonyId, Fingerprint pin, List<Endpoint> endpoints, Optional<String> addresses) {
  private static final ObjectMapper JSON = new ObjectMapper();

  KnownColony {
    endpoints = List.copyOf(endpoints);
  }

  /** JSON, which is also the syntax of a {@code .conf} file. */
  byte[] toBytes() {
    ObjectNode json = JSON.createObjectNode();
    json.put("colony-id", colonyId.value());
    json.put("ca-fingerprint", pin.value());
    ArrayNode list = json.putArray("endpoints");
    endpoints.forEach(endpoint -> list.add(endpoint.toString()));
    addresses.ifPresent(text -> json.put("addresses", text));
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
          endpoints,
          Optional.ofNullable(json.get("addresses")).map(JsonNode::asText));
    } catch (IllegalArgumentException e) {
      throw new IOException(e.getMessage(), e);
    }
  }
}
