package coral.cli;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigValueType;
import coral.files.SecureFiles;
import coral.model.ColonyId;
import coral.model.Endpoint;
import coral.model.Fingerprint;
import coral.model.InvitationText;
import coral.model.MeshSubnet;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A colony as a command sees it. Only what a query needs is read of the settings: to load the whole
 * configuration would take longer than the query.
 *
 * @param folder with the certificates of its authority and of whoever asks
 * @param own where it answers on this host; empty if it lives elsewhere
 * @param endpoints where it answers elsewhere, as it is told
 * @param discovery where it is looked up
 * @param mesh its addresses; empty if they are not known here
 */
record ColonyContext(
    ColonyId id,
    Path folder,
    Optional<Endpoint> own,
    List<Endpoint> endpoints,
    Optional<InvitationText.Discovery> discovery,
    Optional<MeshSubnet> mesh) {
  private static final String ID = "coral.colony.id";
  private static final String DIRECTORY = "coral.colony.directory";

  /** As in {@code colony.conf} of the application. */
  private static final int DEFAULT_PORT = 9000;

  private static final int MAX_FILE_BYTES = 64 * 1024;

  /** A setting of the colony, and the variable that overrides it, as in {@code colony.conf}. */
  private enum Setting {
    PORT("listen.port", "CORAL_COLONY_PORT", Integer.toString(DEFAULT_PORT)),
    SUBNET_IPV4("subnet.ipv4", "CORAL_SUBNET_IPV4", "10.42.0.0/16"),
    SUBNET_IPV6("subnet.ipv6", "CORAL_SUBNET_IPV6", "fd42::/64"),
    DISCOVERY("discovery.url", "CORAL_DISCOVERY_URL", ""),
    DISCOVERY_PIN("discovery.fingerprint", "CORAL_DISCOVERY_FINGERPRINT", "");

    private final String key;
    private final String variable;
    private final String otherwise;

    Setting(String key, String variable, String otherwise) {
      this.key = "coral.colony." + key;
      this.variable = variable;
      this.otherwise = otherwise;
    }

    String in(Config config, Map<String, String> environment) {
      @Nullable String given = environment.get(variable);
      if (given != null) {
        return given;
      }
      String text = text(config, key);
      return text.isEmpty() ? otherwise : text;
    }
  }

  ColonyContext {
    endpoints = List.copyOf(endpoints);
  }

  /**
   * The colony in the folder given, else the one that {@code --colony} names, else {@code
   * CORAL_COLONY_ID}, else the one of {@code --config}, else the default, else the only one.
   *
   * @throws CommandFailedException if there is none, no telling which, or its settings make no
   *     sense
   */
  static ColonyContext choose(
      CoralCommand root, Optional<ColonyId> named, Optional<Path> directory) {
    Map<String, String> environment = root.environment();
    Config given =
        root.configFile().isPresent() ? parse(root.configFile().get()) : ConfigFactory.empty();
    if (directory.isPresent()) {
      return in(directory.get(), named, given, environment);
    }
    CoralHome home = root.home();
    Optional<ColonyId> wanted = named.isPresent() ? named : home.named(environment);
    if (wanted.isEmpty() && !text(given, DIRECTORY).isEmpty()) {
      return in(Path.of(text(given, DIRECTORY)), named, given, environment);
    }
    if (wanted.isEmpty() && !text(given, ID).isEmpty()) {
      wanted = Optional.of(id(text(given, ID)));
    }
    return load(home, home.choose(wanted), given, environment);
  }

  /**
   * The colony of this id under {@code CORAL_HOME}.
   *
   * @throws CommandFailedException if its settings make no sense
   */
  static ColonyContext load(CoralHome home, ColonyId id, Map<String, String> environment) {
    return load(home, id, ConfigFactory.empty(), environment);
  }

  private static ColonyContext load(
      CoralHome home, ColonyId id, Config given, Map<String, String> environment) {
    Path folder = home.colony(id);
    if (!Files.exists(folder.resolve(ContextRecord.FILE))) {
      return here(id, folder, given.withFallback(own(folder)), environment);
    }
    ContextRecord record = record(folder);
    if (!record.colonyId().equals(id)) {
      throw unreadable(
          folder.resolve(ContextRecord.FILE) + " is that of colony " + record.colonyId(), null);
    }
    return new ColonyContext(
        id, folder, Optional.empty(), record.endpoints(), record.discovery(), record.mesh());
  }

  /** What {@code context.conf} says in the folder of a colony that lives elsewhere. */
  static ContextRecord record(Path folder) {
    Path file = folder.resolve(ContextRecord.FILE);
    try {
      String json = new String(SecureFiles.read(file, MAX_FILE_BYTES), StandardCharsets.UTF_8);
      return ContextRecord.of(ContextRecord.parse(json));
    } catch (IOException | IllegalArgumentException e) {
      throw unreadable(file + ": " + e.getMessage(), e);
    }
  }

  /** The folder's own settings say whose it is. */
  private static ColonyContext in(
      Path folder, Optional<ColonyId> named, Config given, Map<String, String> environment) {
    Path settings = folder.resolve(ColonyStartCommand.SETTINGS);
    if (!Files.isRegularFile(settings)) {
      throw new CommandFailedException(
          "there is no colony in " + folder, "Name the folder that 'coral init --dir' made.");
    }
    Config own = own(folder);
    ColonyId found = id(text(own, ID));
    if (named.isPresent() && !named.get().equals(found)) {
      throw new CommandFailedException(
          "the colony in " + folder + " is " + found + ", not " + named.get(),
          "Leave --colony out, or name another folder.");
    }
    return here(found, folder, given.withFallback(own), environment);
  }

  private static ColonyContext here(
      ColonyId id, Path folder, Config settings, Map<String, String> environment) {
    String port = Setting.PORT.in(settings, environment);
    Endpoint own;
    try {
      own = new Endpoint("127.0.0.1", Integer.parseInt(port));
    } catch (IllegalArgumentException e) {
      throw unreadable("the colony's port is '" + port + "'", e);
    }
    String url = Setting.DISCOVERY.in(settings, environment);
    String pin = Setting.DISCOVERY_PIN.in(settings, environment);
    try {
      return new ColonyContext(
          id,
          folder,
          Optional.of(own),
          announced(settings, environment, own.port()),
          url.isEmpty()
              ? Optional.empty()
              : Optional.of(
                  new InvitationText.Discovery(
                      url, pin.isEmpty() ? Optional.empty() : Optional.of(new Fingerprint(pin)))),
          Optional.of(
              MeshSubnet.parse(
                  Setting.SUBNET_IPV4.in(settings, environment),
                  Setting.SUBNET_IPV6.in(settings, environment))));
    } catch (IllegalArgumentException | ConfigException e) {
      throw unreadable("the settings of colony " + id + ": " + e.getMessage(), e);
    }
  }

  /** The hosts at which others reach the colony, with the port of its services. */
  private static List<Endpoint> announced(
      Config settings, Map<String, String> environment, int port) {
    @Nullable String variable = environment.get("CORAL_PUBLIC_ENDPOINTS");
    String key = "coral.colony.public-endpoints";
    List<String> texts =
        variable != null
            ? List.of(variable.split(",", -1))
            : settings.hasPath(key) && settings.getValue(key).valueType() == ConfigValueType.LIST
                ? settings.getStringList(key)
                : List.of(text(settings, key).split(",", -1));
    return texts.stream()
        .map(String::strip)
        .filter(text -> !text.isEmpty())
        .map(text -> new Endpoint(Endpoint.parse(text).host(), port))
        .distinct()
        .toList();
  }

  private static Config own(Path folder) {
    Path settings = folder.resolve(ColonyStartCommand.SETTINGS);
    return Files.exists(settings) ? parse(settings) : ConfigFactory.empty();
  }

  private static Config parse(Path file) {
    if (!Files.isReadable(file)) {
      throw new CommandFailedException(
          file + " cannot be read", "Check the name, and that you may read it.");
    }
    try {
      return ConfigFactory.parseFile(file.toFile());
    } catch (ConfigException e) {
      throw unreadable(String.valueOf(e.getMessage()), e);
    }
  }

  private static String text(Config config, String key) {
    try {
      return config.hasPath(key) ? config.getString(key) : "";
    } catch (ConfigException e) { // such as: a substitution that only the whole configuration has
      throw unreadable(String.valueOf(e.getMessage()), e);
    }
  }

  private static ColonyId id(String text) {
    try {
      return new ColonyId(text);
    } catch (IllegalArgumentException e) {
      throw unreadable(ID + ": " + e.getMessage(), e);
    }
  }

  /** The port of its services, there as elsewhere. */
  int connectPort() {
    return own.map(Endpoint::port)
        .orElseGet(() -> endpoints.isEmpty() ? DEFAULT_PORT : endpoints.get(0).port());
  }

  private static CommandFailedException unreadable(String what, @Nullable Exception cause) {
    String next = "Mend it, or say which colony with --colony and where with --endpoint.";
    return cause == null
        ? new CommandFailedException(what, next)
        : new CommandFailedException(what, next, cause);
  }
}
