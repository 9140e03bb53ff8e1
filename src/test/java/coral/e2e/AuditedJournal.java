package coral.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.cbor.databind.CBORMapper;
import coral.audit.AuditRecord;
import coral.audit.AuditRoot;
import coral.audit.AuditVerification;
import coral.colony.ColonyFiles;
import coral.files.Pem;
import coral.model.MeshSubnet;
import java.io.IOException;
import java.nio.file.Files;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The journal and the audit log in the file of a colony that does not run. */
final class AuditedJournal implements AutoCloseable {
  private static final ObjectMapper CBOR = new CBORMapper();

  private final ColonyFiles.Created colony;
  private final MeshSubnet subnet;
  private final Connection connection;

  AuditedJournal(ColonyFiles.Created colony, MeshSubnet subnet) throws SQLException {
    this.colony = colony;
    this.subnet = subnet;
    this.connection =
        DriverManager.getConnection(
            "jdbc:duckdb:" + new ColonyFiles(colony.directory()).database());
  }

  /** Each address that was given is in the log once, and the log is what was recorded. */
  int requireEachAddressOnce(String message) throws IOException, SQLException {
    List<String> given = given();
    assertFalse(given.isEmpty(), () -> "no address in the journal" + message);
    assertEquals(given, audited(), () -> "agents, requests and addresses" + message);
    assertEquals(Optional.empty(), problem(), () -> "the chain" + message);
    return given.size();
  }

  private List<String> given() throws IOException, SQLException {
    List<String> given = new ArrayList<>();
    try (Statement statement = connection.createStatement();
        ResultSet result =
            statement.executeQuery(
                "SELECT event_payload FROM event_journal"
                    + " WHERE event_ser_manifest LIKE 'allocated-v%'")) {
      while (result.next()) {
        JsonNode event = CBOR.readTree(result.getBytes(1));
        given.add(
            line(
                event.get("agentId").asText(),
                event.get("requestId").asText(),
                subnet.addresses(event.get("hostNumber").asInt()).ipv4Text()));
      }
    }
    return given.stream().sorted().toList();
  }

  private List<String> audited() throws SQLException {
    List<String> audited = new ArrayList<>();
    try (Statement statement = connection.createStatement();
        ResultSet result =
            statement.executeQuery(
                "SELECT subject, request_id, split_part(detail, ',', 1) FROM audit_records"
                    + " WHERE kind = 'address-allocated'")) {
      while (result.next()) {
        audited.add(line(result.getString(1), result.getString(2), result.getString(3)));
      }
    }
    return audited.stream().sorted().toList();
  }

  private static String line(String agentId, String requestId, String address) {
    return agentId + " " + requestId + " " + address;
  }

  private Optional<AuditVerification.Broken> problem() throws IOException, SQLException {
    AuditVerification verification =
        new AuditVerification(
            colony.colonyId(), Pem.certificates(Files.readAllBytes(colony.caCertificate())));
    for (AuditRoot root : roots()) {
      Optional<AuditVerification.Broken> broken = verification.add(root);
      if (broken.isPresent()) {
        return broken;
      }
    }
    for (AuditRecord record : records()) {
      Optional<AuditVerification.Broken> broken = verification.add(record);
      if (broken.isPresent()) {
        return broken;
      }
    }
    return verification.end();
  }

  private List<AuditRoot> roots() throws SQLException {
    List<AuditRoot> roots = new ArrayList<>();
    try (Statement statement = connection.createStatement();
        ResultSet result =
            statement.executeQuery(
                "SELECT first_sequence, last_sequence, hash, signed_at, signature, certificates"
                    + " FROM audit_roots ORDER BY first_sequence")) {
      while (result.next()) {
        roots.add(
            new AuditRoot(
                result.getLong(1),
                result.getLong(2),
                result.getString(3),
                instant(result, 4),
                result.getString(5),
                result.getString(6)));
      }
    }
    return roots;
  }

  private List<AuditRecord> records() throws SQLException {
    List<AuditRecord> records = new ArrayList<>();
    try (Statement statement = connection.createStatement();
        ResultSet result =
            statement.executeQuery(
                "SELECT sequence, time, kind, actor, mesh_address, source_address, subject, detail,"
                    + " request_id, hash FROM audit_records ORDER BY sequence")) {
      while (result.next()) {
        records.add(
            new AuditRecord(
                result.getLong(1),
                instant(result, 2),
                result.getString(3),
                result.getString(4),
                result.getString(5),
                result.getString(6),
                result.getString(7),
                result.getString(8),
                result.getString(9),
                result.getString(10)));
      }
    }
    return records;
  }

  private static Instant instant(ResultSet result, int column) throws SQLException {
    return result.getObject(column, LocalDateTime.class).toInstant(ZoneOffset.UTC);
  }

  @Override
  public void close() throws SQLException {
    connection.close();
  }
}
