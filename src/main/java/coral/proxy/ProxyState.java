package coral.proxy;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import coral.model.AgentId;
import coral.model.ColonyId;
import coral.model.Endpoint;
import coral.rpc.Role;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * How a proxy on this host is, as it tells commands by {@code state.json} (RFD 005, "Proxy Config
 * (Runtime State)"). Read and written without data binding, which a command that lives for a
 * fraction of a second has no time for.
 *
 * @param colonyId whose
 * @param proxyId the proxy's id in the colony
 * @param process that runs it; whoever reads asks {@link RunningProcess#isAlive}, because a proxy
 *     that was killed leaves its state
 * @param isEmbedded whether an agent runs it beside its own work ({@code --enable-proxy})
 * @param listen where callers reach it
 * @param isSecure whether callers need TLS there
 * @param mesh what it has of the mesh; empty before the first join
 * @param way how requests go to the colony now; empty unless connected
 * @param forwardsTo where they go; empty unless connected
 * @param fallback why they do not go over the mesh; empty if they do, or go nowhere
 * @param role of its certificate, hence what its callers may do at most; empty before it has one
 * @param reason why it is not connected; empty if it is
 * @param since when {@code status} or {@code way} changed last
 * @param startedAt when the proxy was
 */
public record ProxyState(
    ColonyId colonyId,
    AgentId proxyId,
    RunningProcess process,
    boolean isEmbedded,
    Endpoint listen,
    boolean isSecure,
    Optional<Mesh> mesh,
    Optional<Way> way,
    Optional<Endpoint> forwardsTo,
    Optional<String> fallback,
    Optional<Role> role,
    Status status,
    Optional<String> reason,
    Instant since,
    Instant startedAt) {
  /** Files of another version are not guessed at. */
  static final int VERSION = 1;

  /** A tenth of this is written. */
  static final int MAX_BYTES = 16 << 10;

  private static final JsonFactory JSON =
      JsonFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

  /** Whether requests reach the colony. */
  public enum Status {
    /** Not yet. */
    CONNECTING,
    CONNECTED,
    /** Not any more; the proxy goes on trying. */
    OFFLINE;

    /** As files, tables and programs have it. */
    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * Addresses in the mesh, as text.
   *
   * @param connectPort of the colony's services, there as elsewhere
   * @param interfaceName of the host; empty if the tunnel ends inside the proxy
   */
  public record Mesh(
      String ipv4,
      String ipv6,
      String colonyIpv4,
      String colonyIpv6,
      int connectPort,
      String interfaceName) {}

  /** JSON in UTF-8: one flat object, documented by the names in {@link #parse}. */
  byte[] toBytes() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (JsonGenerator json = JSON.createGenerator(bytes)) {
      json.useDefaultPrettyPrinter();
      json.writeStartObject();
      json.writeNumberField("version", VERSION);
      json.writeStringField("colony_id", colonyId.value());
      json.writeStringField("proxy_id", proxyId.value());
      json.writeNumberField("pid", process.pid());
      json.writeStringField("pid_started_at", process.startedAt());
      json.writeBooleanField("embedded", isEmbedded);
      json.writeStringField("listen", listen.toString());
      json.writeBooleanField("tls", isSecure);
      if (mesh.isPresent()) {
        json.writeStringField("mesh_ipv4", mesh.get().ipv4());
        json.writeStringField("mesh_ipv6", mesh.get().ipv6());
        json.writeStringField("colony_mesh_ipv4", mesh.get().colonyIpv4());
        json.writeStringField("colony_mesh_ipv6", mesh.get().colonyIpv6());
        json.writeNumberField("colony_connect_port", mesh.get().connectPort());
        json.writeStringField("interface", mesh.get().interfaceName());
      }
      if (way.isPresent()) {
        json.writeStringField("way", wireName(way.get()));
      }
      if (forwardsTo.isPresent()) {
        json.writeStringField("forwards_to", forwardsTo.get().toString());
      }
      if (fallback.isPresent()) {
        json.writeStringField("fallback", fallback.get());
      }
      if (role.isPresent()) {
        json.writeStringField("role", role.get().wireName());
      }
      json.writeStringField("status", status.toString());
      if (reason.isPresent()) {
        json.writeStringField("reason", reason.get());
      }
      json.writeStringField("since", since.toString());
      json.writeStringField("started_at", startedAt.toString());
      json.writeEndObject();
    } catch (IOException e) {
      throw new IllegalStateException("an array of bytes could not be written", e);
    }
    bytes.write('\n');
    return bytes.toByteArray();
  }

  /**
   * Reads what {@link #toBytes} wrote. Names that are not known here are passed over: a later
   * release of this version may have more.
   *
   * @throws IOException for anything else, also of another version or cut short
   */
  static ProxyState parse(byte[] bytes) throws IOException {
    Fields fields = new Fields(fields(bytes));
    String version = fields.optional("version").orElse("");
    if (!version.equals(Integer.toString(VERSION))) {
      throw new IOException(
          version.isEmpty()
              ? "it is not the state of a proxy"
              : "it is of version " + version + ", and this release knows version " + VERSION);
    }
    try {
      return new ProxyState(
          new ColonyId(fields.text("colony_id")),
          new AgentId(fields.text("proxy_id")),
          new RunningProcess(Long.parseLong(fields.text("pid")), fields.text("pid_started_at")),
          fields.flag("embedded"),
          Endpoint.parse(fields.text("listen")),
          fields.flag("tls"),
          fields.optional("mesh_ipv4").isPresent() ? Optional.of(mesh(fields)) : Optional.empty(),
          fields.optional("way").map(ProxyState::way),
          fields.optional("forwards_to").map(Endpoint::parse),
          fields.optional("fallback"),
          fields.optional("role").map(ProxyState::role),
          Status.valueOf(fields.text("status").toUpperCase(Locale.ROOT)),
          fields.optional("reason"),
          Instant.parse(fields.text("since")),
          Instant.parse(fields.text("started_at")));
    } catch (IllegalArgumentException | DateTimeParseException e) {
      throw new IOException(e.getMessage(), e);
    }
  }

  private static Mesh mesh(Fields fields) {
    return new Mesh(
        fields.text("mesh_ipv4"),
        fields.text("mesh_ipv6"),
        fields.text("colony_mesh_ipv4"),
        fields.text("colony_mesh_ipv6"),
        Integer.parseInt(fields.text("colony_connect_port")),
        fields.text("interface"));
  }

  private static String wireName(Way way) {
    return way.name().toLowerCase(Locale.ROOT);
  }

  private static Way way(String name) {
    return Way.valueOf(name.toUpperCase(Locale.ROOT));
  }

  private static Role role(String wireName) {
    for (Role role : Role.values()) {
      if (role.wireName().equals(wireName)) {
        return role;
      }
    }
    throw new IllegalArgumentException("there is no role '" + wireName + "'");
  }

  private static Map<String, String> fields(byte[] bytes) throws IOException {
    Map<String, String> fields = new HashMap<>();
    try (JsonParser json = JSON.createParser(bytes)) {
      if (json.nextToken() != JsonToken.START_OBJECT) {
        throw new IOException("it is not a JSON object");
      }
      while (json.nextToken() == JsonToken.FIELD_NAME) {
        String name = json.currentName();
        if (json.nextToken().isScalarValue()) {
          fields.put(name, json.getText());
        } else {
          json.skipChildren();
        }
      }
      if (json.currentToken() != JsonToken.END_OBJECT || json.nextToken() != null) {
        throw new IOException("it does not end where it should");
      }
    }
    return fields;
  }

  private record Fields(Map<String, String> values) {
    Optional<String> optional(String name) {
      return Optional.ofNullable(values.get(name));
    }

    String text(String name) {
      @Nullable String value = values.get(name);
      if (value == null) {
        throw new IllegalArgumentException("there is no '" + name + "' in it");
      }
      return value;
    }

    boolean flag(String name) {
      return Boolean.parseBoolean(text(name));
    }
  }
}
