package coral.discovery;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import coral.model.Addresses;
import coral.model.ColonyId;
import coral.model.Ed25519PublicKey;
import coral.model.Endpoint;
import coral.model.IpPrefix;
import coral.model.WireGuardKey;
import coral.storage.DuckDbFile;
import coral.storage.StoreException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** The directory's own DuckDB file. Blocks: for one thread that may wait. */
final class DirectoryStore implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final DuckDbFile file;

  /** The mesh ids that may have a row in {@code former_secrets}. */
  private final Set<ColonyId> withFormer = new HashSet<>();

  /** The mesh ids that may have a row in {@code colony_owners}. */
  private final Set<ColonyId> withOwner = new HashSet<>();

  private DirectoryStore(DuckDbFile file) {
    this.file = file;
  }

  /**
   * Opens or creates the file.
   *
   * @throws StoreException naming the file and what is wrong with it
   */
  static DirectoryStore open(Path path) throws StoreException {
    return new DirectoryStore(DuckDbFile.open(path, List.of("db/discovery.sql")));
  }

  /** Everything that was ever written and not removed. */
  List<ColonyEntry> load() throws StoreException {
    return file.inTransaction(
        connection -> {
          removeOrphans(connection);
          List<ColonyEntry> entries = new ArrayList<>();
          try (PreparedStatement statement =
                  connection.prepareStatement(
                      "SELECT c.*, f.secret_hash AS former_hash, f.ends_at AS former_ends_at,"
                          + " o.public_key AS owner_key, o.sequence AS owner_sequence,"
                          + " o.since AS owner_since FROM colonies c"
                          + " LEFT JOIN former_secrets f USING (mesh_id)"
                          + " LEFT JOIN colony_owners o USING (mesh_id)");
              ResultSet row = statement.executeQuery()) {
            while (row.next()) {
              ColonyEntry entry = entry(row);
              ColonyId meshId = entry.announcement().meshId();
              entry.secrets().former().ifPresent(former -> withFormer.add(meshId));
              entry.owner().ifPresent(owner -> withOwner.add(meshId));
              entries.add(entry);
            }
          } catch (IllegalArgumentException | JsonProcessingException e) {
            throw new SQLException(file.path() + " holds an entry that cannot be read", e);
          }
          return entries;
        });
  }

  /**
   * An older version of this program removes colonies without what it does not know of them: the
   * next colony of the name must not inherit it.
   */
  private static void removeOrphans(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      for (String table : List.of("former_secrets", "colony_owners")) {
        statement.executeUpdate(
            "DELETE FROM " + table + " WHERE mesh_id NOT IN (SELECT mesh_id FROM colonies)");
      }
    }
  }

  /**
   * Writes and removes in one transaction: all of it is durable on return, or none. No mesh id is
   * given twice. After a failure that has invalidated the database, as a full disk does, the next
   * call opens the file anew.
   */
  void write(Collection<ColonyEntry> entries, Collection<ColonyId> removed) throws StoreException {
    Rows colonies = new Rows("colonies");
    Rows formerSecrets = new Rows("former_secrets");
    Rows owners = new Rows("colony_owners");
    for (ColonyEntry entry : entries) {
      ColonyId meshId = entry.announcement().meshId();
      colonies.put(row(entry));
      entry
          .secrets()
          .former()
          .ifPresentOrElse(
              former -> put(formerSecrets, withFormer, meshId, row(meshId, former)),
              () -> remove(formerSecrets, withFormer, meshId));
      entry
          .owner()
          .ifPresentOrElse(
              owner -> put(owners, withOwner, meshId, row(meshId, owner)),
              () -> remove(owners, withOwner, meshId));
    }
    for (ColonyId meshId : removed) {
      colonies.remove(meshId);
      remove(formerSecrets, withFormer, meshId);
      remove(owners, withOwner, meshId);
    }
    file.inTransaction(
        connection -> {
          colonies.write(connection);
          formerSecrets.write(connection);
          owners.write(connection);
          return true;
        });
  }

  private static void put(Rows rows, Set<ColonyId> present, ColonyId meshId, Object[] row) {
    present.add(meshId);
    rows.put(row);
  }

  /** Most colonies never had a row there: their renewals are spared the statement. */
  private static void remove(Rows rows, Set<ColonyId> present, ColonyId meshId) {
    if (present.contains(meshId)) {
      rows.remove(meshId);
    }
  }

  @Override
  public void close() {
    file.close();
  }

  private static Object[] row(ColonyEntry entry) {
    Announcement announcement = entry.announcement();
    return new Object[] {
      announcement.meshId().value(),
      announcement.wireGuardKey().toString(),
      json(announcement.endpoints().stream().map(Endpoint::toString).toList()),
      Addresses.text(announcement.meshIpv4()),
      announcement.meshIpv6().map(Addresses::text).orElse(""),
      announcement.connectPort(),
      json(announcement.metadata()),
      entry.secrets().current(),
      entry.lastSeen().toEpochMilli(),
      entry.expiresAt().toEpochMilli(),
      entry.ownedSince().toEpochMilli()
    };
  }

  private static String json(Object texts) {
    try {
      return JSON.writeValueAsString(texts);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException("lists and maps of texts are JSON", e);
    }
  }

  private static Object[] row(ColonyId meshId, ColonySecrets.Former former) {
    return new Object[] {meshId.value(), former.hash(), former.endsAt().toEpochMilli()};
  }

  private static Object[] row(ColonyId meshId, Owner owner) {
    return new Object[] {
      meshId.value(), owner.key().toString(), owner.sequence(), owner.since().toEpochMilli()
    };
  }

  private static Optional<ColonySecrets.Former> former(ResultSet row) throws SQLException {
    String hash = row.getString("former_hash");
    return hash == null
        ? Optional.empty()
        : Optional.of(
            new ColonySecrets.Former(hash, Instant.ofEpochMilli(row.getLong("former_ends_at"))));
  }

  private static Optional<Owner> owner(ResultSet row) throws SQLException {
    String key = row.getString("owner_key");
    return key == null
        ? Optional.empty()
        : Optional.of(
            new Owner(
                Ed25519PublicKey.parse(key),
                row.getLong("owner_sequence"),
                Instant.ofEpochMilli(row.getLong("owner_since"))));
  }

  private static ColonyEntry entry(ResultSet row) throws SQLException, JsonProcessingException {
    List<String> endpoints =
        JSON.readValue(row.getString("public_endpoints"), new TypeReference<>() {});
    Map<String, String> metadata =
        JSON.readValue(row.getString("metadata"), new TypeReference<>() {});
    String ipv6 = row.getString("mesh_ipv6");
    return new ColonyEntry(
        new Announcement(
            new ColonyId(row.getString("mesh_id")),
            WireGuardKey.parse(row.getString("wireguard_pubkey")),
            endpoints.stream().map(Endpoint::parse).toList(),
            Announcement.ipv4(IpPrefix.parseAddress(row.getString("mesh_ipv4"))),
            ipv6.isEmpty()
                ? Optional.empty()
                : Optional.of(Announcement.ipv6(IpPrefix.parseAddress(ipv6))),
            row.getInt("connect_port"),
            metadata),
        new ColonySecrets(row.getString("secret_hash"), former(row)),
        owner(row),
        Instant.ofEpochMilli(row.getLong("last_seen")),
        Instant.ofEpochMilli(row.getLong("expires_at")),
        Instant.ofEpochMilli(row.getLong("owned_since")));
  }
}
