package coral.discovery;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import coral.model.Addresses;
import coral.model.ColonyId;
import coral.model.Endpoint;
import coral.model.IpPrefix;
import coral.model.WireGuardKey;
import coral.storage.DuckDbFile;
import coral.storage.StoreException;
import java.nio.file.Path;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
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
          List<ColonyEntry> entries = new ArrayList<>();
          try (PreparedStatement statement =
                  connection.prepareStatement(
                      "SELECT c.*, f.secret_hash AS former_hash, f.ends_at AS former_ends_at"
                          + " FROM colonies c LEFT JOIN former_secrets f USING (mesh_id)");
              ResultSet row = statement.executeQuery()) {
            while (row.next()) {
              ColonyEntry entry = entry(row);
              entry
                  .secrets()
                  .former()
                  .ifPresent(f -> withFormer.add(entry.announcement().meshId()));
              entries.add(entry);
            }
          } catch (IllegalArgumentException | JsonProcessingException e) {
            throw new SQLException(file.path() + " holds an entry that cannot be read", e);
          }
          return entries;
        });
  }

  /**
   * Writes and removes in one transaction: all of it is durable on return, or none. After a failure
   * that has invalidated the database, as a full disk does, the next call opens the file anew.
   */
  void write(Collection<ColonyEntry> entries, Collection<ColonyId> removed) throws StoreException {
    file.inTransaction(
        connection -> {
          try (PreparedStatement put =
                  connection.prepareStatement(
                      "INSERT OR REPLACE INTO colonies VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
              PreparedStatement putFormer =
                  connection.prepareStatement(
                      "INSERT OR REPLACE INTO former_secrets VALUES (?, ?, ?)");
              PreparedStatement remove =
                  connection.prepareStatement("DELETE FROM colonies WHERE mesh_id = ?");
              PreparedStatement removeFormer =
                  connection.prepareStatement("DELETE FROM former_secrets WHERE mesh_id = ?")) {
            for (ColonyEntry entry : entries) {
              bind(put, entry);
              put.executeUpdate();
              ColonyId meshId = entry.announcement().meshId();
              Optional<ColonySecrets.Former> former = entry.secrets().former();
              if (former.isPresent()) {
                withFormer.add(meshId);
                putFormer.setString(1, meshId.value());
                putFormer.setString(2, former.get().hash());
                putFormer.setLong(3, former.get().endsAt().toEpochMilli());
                putFormer.executeUpdate();
              } else {
                removeFormer(removeFormer, meshId);
              }
            }
            for (ColonyId meshId : removed) {
              remove.setString(1, meshId.value());
              remove.executeUpdate();
              removeFormer(removeFormer, meshId);
            }
            return removed.size();
          } catch (JsonProcessingException e) {
            throw new SQLException("an entry cannot be written as JSON", e);
          }
        });
  }

  /** Most colonies never had another secret: their renewals are spared the statement. */
  private void removeFormer(PreparedStatement remove, ColonyId meshId) throws SQLException {
    if (withFormer.contains(meshId)) {
      remove.setString(1, meshId.value());
      remove.executeUpdate();
    }
  }

  @Override
  public void close() {
    file.close();
  }

  private static void bind(PreparedStatement put, ColonyEntry entry)
      throws SQLException, JsonProcessingException {
    Announcement announcement = entry.announcement();
    put.setString(1, announcement.meshId().value());
    put.setString(2, announcement.wireGuardKey().toString());
    put.setString(
        3,
        JSON.writeValueAsString(
            announcement.endpoints().stream().map(Endpoint::toString).toList()));
    put.setString(4, Addresses.text(announcement.meshIpv4()));
    put.setString(5, announcement.meshIpv6().map(Addresses::text).orElse(""));
    put.setInt(6, announcement.connectPort());
    put.setString(7, JSON.writeValueAsString(announcement.metadata()));
    put.setString(8, entry.secrets().current());
    put.setLong(9, entry.lastSeen().toEpochMilli());
    put.setLong(10, entry.expiresAt().toEpochMilli());
    put.setLong(11, entry.ownedSince().toEpochMilli());
  }

  private static Optional<ColonySecrets.Former> former(ResultSet row) throws SQLException {
    String hash = row.getString("former_hash");
    return hash == null
        ? Optional.empty()
        : Optional.of(
            new ColonySecrets.Former(hash, Instant.ofEpochMilli(row.getLong("former_ends_at"))));
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
        Instant.ofEpochMilli(row.getLong("last_seen")),
        Instant.ofEpochMilli(row.getLong("expires_at")),
        Instant.ofEpochMilli(row.getLong("owned_since")));
  }
}
