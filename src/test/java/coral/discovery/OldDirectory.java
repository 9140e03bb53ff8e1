package coral.discovery;

import coral.files.SecureFiles;
import coral.model.Secret;
import coral.storage.DuckDbFile;
import java.nio.file.Path;
import java.sql.PreparedStatement;
import java.time.Instant;
import java.util.Base64;
import java.util.List;

/** A directory's file as versions before this one wrote it. */
final class OldDirectory {
  private OldDirectory() {}

  static void create(Path directory, String meshId, String secret, Instant lastSeen)
      throws Exception {
    SecureFiles.createDirectory(directory);
    try (DuckDbFile file =
        DuckDbFile.open(
            directory.resolve("discovery.duckdb"), List.of("discovery/directory-v1.sql"))) {
      file.inTransaction(
          connection -> {
            try (PreparedStatement put =
                connection.prepareStatement(
                    "INSERT INTO colonies VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")) {
              byte[] key = new byte[32];
              key[0] = 9;
              put.setString(1, meshId);
              put.setString(2, Base64.getEncoder().encodeToString(key));
              put.setString(3, "[\"203.0.113.7:41820\"]");
              put.setString(4, "10.42.0.1");
              put.setString(5, "");
              put.setInt(6, 9000);
              put.setString(7, "{}");
              put.setString(8, SecretHash.of(new Secret(secret)));
              put.setLong(9, lastSeen.toEpochMilli());
              put.setLong(10, lastSeen.plusSeconds(300).toEpochMilli());
              put.setLong(11, lastSeen.toEpochMilli());
              return put.executeUpdate();
            }
          });
    }
  }
}
