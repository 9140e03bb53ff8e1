package coral.cli;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigParseOptions;
import com.typesafe.config.ConfigRenderOptions;
import com.typesafe.config.ConfigSyntax;
import coral.model.ColonyId;
import coral.model.Endpoint;
import coral.model.Fingerprint;
import coral.model.InvitationText;
import coral.model.MeshSubnet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * How a colony that lives elsewhere is reached: {@code context.conf} in its folder.
 *
 * @param endpoints of its services, best first, at most {@link #MAX_ENDPOINTS}
 * @param discovery where it is looked up if it is at none of these
 * @param mesh its addresses, for hosts that are members
 */
record ContextRecord(
    ColonyId colonyId,
    List<Endpoint> endpoints,
    Optional<InvitationText.Discovery> discovery,
    Optional<MeshSubnet> mesh) {
  static final String FILE = "context.conf";

  static final int MAX_ENDPOINTS = 16;

  private static final int VERSION = 1;

  /**
   * @throws IllegalArgumentException if there are too many endpoints
   */
  ContextRecord {
    endpoints = List.copyOf(endpoints);
    if (endpoints.size() > MAX_ENDPOINTS) {
      throw new IllegalArgumentException("a context has " + MAX_ENDPOINTS + " endpoints at most");
    }
  }

  /** Its fields, for {@link #render}. */
  Map<String, Object> fields() {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("version", VERSION);
    fields.put("colonyId", colonyId.value());
    fields.put("endpoints", endpoints.stream().map(Endpoint::toString).toList());
    discovery.ifPresent(
        known -> {
          Map<String, Object> where = new LinkedHashMap<>();
          where.put("url", known.url());
          known.fingerprint().ifPresent(pin -> where.put("fingerprint", pin.value()));
          fields.put("discovery", where);
        });
    mesh.ifPresent(
        subnet ->
            fields.put(
                "mesh",
                Map.of("ipv4", subnet.ipv4().toString(), "ipv6", subnet.ipv6().toString())));
    return fields;
  }

  /** JSON for people to read, with a line feed at its end. */
  static String render(Map<String, Object> fields) {
    return ConfigFactory.parseMap(fields)
            .root()
            .render(ConfigRenderOptions.concise().setFormatted(true))
            .stripTrailing()
        + "\n";
  }

  /**
   * Reads JSON alone: what else a configuration may say, such as to include a URL, a stranger's
   * file must not.
   *
   * @throws IllegalArgumentException if it is something else
   */
  static Config parse(String json) {
    try {
      return ConfigFactory.parseString(
          json, ConfigParseOptions.defaults().setSyntax(ConfigSyntax.JSON));
    } catch (ConfigException e) {
      // Without its cause, which may quote a key.
      throw new IllegalArgumentException("it is not JSON");
    }
  }

  /**
   * What a file says.
   *
   * @throws IllegalArgumentException if something is missing or makes no sense
   */
  static ContextRecord of(Config config) {
    try {
      int version = config.getInt("version");
      if (version != VERSION) {
        throw new IllegalArgumentException(
            "it is of version " + version + ", and this release reads version " + VERSION);
      }
      return new ContextRecord(
          new ColonyId(config.getString("colonyId")),
          config.getStringList("endpoints").stream().map(Endpoint::parse).toList(),
          optional(config, "discovery.url")
              .map(
                  url ->
                      new InvitationText.Discovery(
                          url, optional(config, "discovery.fingerprint").map(Fingerprint::new))),
          config.hasPath("mesh")
              ? Optional.of(
                  MeshSubnet.parse(config.getString("mesh.ipv4"), config.getString("mesh.ipv6")))
              : Optional.empty());
    } catch (ConfigException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
  }

  static Optional<String> optional(Config config, String path) {
    return config.hasPath(path) ? Optional.of(config.getString(path)) : Optional.empty();
  }
}
