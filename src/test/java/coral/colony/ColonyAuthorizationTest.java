package coral.colony;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.Descriptors.MethodDescriptor;
import com.google.protobuf.Descriptors.ServiceDescriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.Empty;
import com.google.protobuf.Message;
import coral.api.colony.v1.AuditProto;
import coral.api.colony.v1.CertificateProto;
import coral.api.colony.v1.ColonyProto;
import coral.api.colony.v1.InvitationProto;
import coral.api.colony.v1.RevokeCertificateRequest;
import coral.api.colony.v1.RevokeCertificateResponse;
import coral.api.colony.v1.SecretProto;
import coral.api.mesh.v1.MeshProto;
import coral.api.reflection.v1.ServerReflectionProto;
import coral.certificate.Authority;
import coral.certificate.CertificateProfile;
import coral.certificate.KeyType;
import coral.certificate.SerialNumbers;
import coral.model.AgentId;
import coral.model.ColonyId;
import coral.rpc.ClientCertificate;
import coral.rpc.ConnectStream;
import coral.rpc.RpcException;
import io.grpc.Status.Code;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Every rpc of the colony's port, tried as everyone over real TLS (L9: no call without a rule). */
@Timeout(180)
class ColonyAuthorizationTest {
  /** All files of the protocol but discovery's, which is another port. */
  static final List<FileDescriptor> FILES =
      List.of(
          MeshProto.getDescriptor(),
          ColonyProto.getDescriptor(),
          CertificateProto.getDescriptor(),
          InvitationProto.getDescriptor(),
          AuditProto.getDescriptor(),
          SecretProto.getDescriptor(),
          ServerReflectionProto.getDescriptor());

  private static final String ALL = "none agent proxy viewer operator admin";

  /** Who gets past the table; written down a second time, for the table itself cannot prove it. */
  private static final Map<String, String> EXPECTED =
      Map.ofEntries(
          Map.entry("RequestCertificate", ALL),
          Map.entry("GetCACertificate", ALL),
          Map.entry("Register", "agent proxy"),
          Map.entry("Session", "agent proxy"),
          Map.entry("Deregister", "agent proxy admin"),
          Map.entry("GetStatus", "proxy viewer operator admin"),
          Map.entry("ListAgents", "proxy viewer operator admin"),
          Map.entry("GetTopology", "proxy viewer operator admin"),
          Map.entry("ListAllocations", "proxy viewer operator admin"),
          Map.entry("WatchAgents", "proxy viewer operator admin"),
          Map.entry("PingAgent", "proxy viewer operator admin"),
          Map.entry("ReserveAddress", "operator admin"),
          Map.entry("RevokeCertificate", "operator admin"),
          Map.entry("ListCertificates", "proxy viewer operator admin"),
          Map.entry("GetCertificateStatus", "proxy viewer operator admin"),
          Map.entry("GetAuthorityStatus", "proxy viewer operator admin"),
          Map.entry("AllowRebind", "admin"),
          Map.entry("RotateAuthority", "admin"),
          Map.entry("CreateInvitation", "operator admin"),
          Map.entry("ListInvitations", "proxy viewer operator admin"),
          Map.entry("RevokeInvitation", "operator admin"),
          Map.entry("ListAuditRecords", "operator admin"),
          Map.entry("ListAuditRoots", "operator admin"),
          Map.entry("RotateSecret", "admin"),
          Map.entry("ServerReflectionInfo", "agent proxy viewer operator admin"));

  /** Whose certificate ends the handshake, whatever is called. */
  private static final Set<String> SHUT_OUT =
      Set.of("of another authority", "expired", "revoked", "of no journal");

  @TempDir Path directory;

  @Test
  void theTableNamesEveryRpcOfThePortAndNoOther() {
    FileDescriptor[] files = FILES.toArray(new FileDescriptor[0]);
    for (var table : List.of(ColonyRpcs.AUTHORIZATION, ColonyRpcs.withStrangersRegistering())) {
      assertEquals(Set.of(), table.missing(files));
      assertEquals(Set.of(), table.unknown(files));
    }
  }

  /** A service in a file that nobody has listed above would have no rule, and no test. */
  @Test
  void everyFileOfTheProtocolIsTried() throws IOException {
    List<String> services = new ArrayList<>();
    try (Stream<Path> files = Files.walk(Path.of("src/main/protobuf"))) {
      for (Path file : files.filter(path -> path.toString().endsWith(".proto")).toList()) {
        Matcher service = Pattern.compile("(?m)^service (\\w+)").matcher(Files.readString(file));
        while (service.find()) {
          services.add(service.group(1));
        }
      }
    }
    assertFalse(services.isEmpty());
    services.remove("DiscoveryService");
    assertEquals(
        services.stream().sorted().toList(),
        FILES.stream()
            .flatMap(file -> file.getServices().stream())
            .map(ServiceDescriptor::getName)
            .sorted()
            .toList());
  }

  @Test
  void everyRpcAsEveryoneIsAdmittedOrRefusedAsTheTableSays() throws Exception {
    // A rotation of the root makes keys, which takes longest for RSA.
    try (TestColony colony =
        TestColony.start(directory, Map.of("coral.colony.authority.key-type", "p-256"))) {
      Map<String, Optional<ClientCertificate>> callers = callers(colony);
      Map<String, String> expected = new TreeMap<>();
      Map<String, String> actual = new TreeMap<>();
      for (FileDescriptor file : FILES) {
        for (ServiceDescriptor service : file.getServices()) {
          for (MethodDescriptor method : service.getMethods()) {
            for (Map.Entry<String, Optional<ClientCertificate>> caller : callers.entrySet()) {
              String what = method.getName() + " as " + caller.getKey();
              expected.put(what, expected(method.getName(), caller.getKey()));
              actual.put(what, outcome(colony, caller.getValue(), method));
            }
          }
        }
      }
      assertFalse(expected.isEmpty());
      Map<String, String> right = new TreeMap<>(expected);
      expected.entrySet().removeAll(actual.entrySet());
      actual.entrySet().removeAll(right.entrySet());
      assertEquals(expected, actual, "without what is right");
    }
  }

  private static Map<String, Optional<ClientCertificate>> callers(TestColony colony)
      throws Exception {
    Map<String, Optional<ClientCertificate>> callers = new LinkedHashMap<>();
    callers.put("none", Optional.empty());
    for (String role : List.of("agent", "proxy", "viewer", "operator")) {
      callers.put(role, Optional.of(colony.bootstrap("a-" + role, role).certificate()));
    }
    callers.put("admin", Optional.of(colony.administrator()));
    ColonyId id = colony.created.colonyId();
    Authority own = Authority.load(colony.home());
    Authority other = Authority.create(id, InstantSource.system(), KeyType.P_256);
    callers.put("of another authority", Optional.of(administrator(other, Duration.ofMinutes(1))));
    callers.put("expired", Optional.of(administrator(own, Duration.ofDays(2))));
    callers.put("of no journal", Optional.of(stranger(own)));
    ClientCertificate revoked = colony.bootstrap("a-revoked", "operator").certificate();
    colony.call(
        Optional.of(colony.administrator()),
        TestColony.COLONY + "RevokeCertificate",
        RevokeCertificateRequest.newBuilder().setAgentId("a-revoked").setReason("test").build(),
        RevokeCertificateResponse.parser());
    callers.put("revoked", Optional.of(revoked));
    return callers;
  }

  /** Good for a day, from so long ago. */
  private static ClientCertificate administrator(Authority authority, Duration ago) {
    KeyPair keys = KeyType.P_256.generate();
    return new ClientCertificate(
        keys.getPrivate(),
        authority.chain(
            authority.issue(
                CertificateProfile.administrator(authority.colonyId(), "mallory"),
                keys.getPublic(),
                InstantSource.system().instant().minus(ago),
                Duration.ofDays(1),
                SerialNumbers.next())));
  }

  /** Signed by the colony's own key, and never issued by the colony. */
  private static ClientCertificate stranger(Authority authority) {
    KeyPair keys = KeyType.P_256.generate();
    return new ClientCertificate(
        keys.getPrivate(),
        authority.chain(
            authority.issue(
                CertificateProfile.agent(authority.colonyId(), new AgentId("mallory")),
                keys.getPublic(),
                InstantSource.system().instant(),
                Duration.ofDays(1))));
  }

  private static String expected(String rpc, String caller) {
    if (SHUT_OUT.contains(caller)) {
      return RpcException.Reason.CERTIFICATE_REFUSED.name();
    }
    boolean allowed = List.of(EXPECTED.getOrDefault(rpc, "").split(" ")).contains(caller);
    if (allowed) {
      return "admitted";
    }
    return (caller.equals("none") ? Code.UNAUTHENTICATED : Code.PERMISSION_DENIED).name();
  }

  /** Admitted calls fail later, on what is in them, or because Connect does not take a stream. */
  private static String outcome(
      TestColony colony, Optional<ClientCertificate> as, MethodDescriptor method) {
    String rpc = method.getService().getFullName() + "/" + method.getName();
    Message request = DynamicMessage.getDefaultInstance(method.getInputType());
    try {
      if (method.isServerStreaming() && !method.isClientStreaming()) {
        try (ConnectStream<Empty> stream =
            colony.client(as).stream(rpc, request, Empty.parser(), Duration.ofSeconds(20))) {
          stream.next();
        }
      } else {
        colony.call(as, rpc, request, Empty.parser());
      }
      return "admitted";
    } catch (RpcException e) {
      if (e.reason() != RpcException.Reason.REFUSED) {
        return e.reason().name();
      }
      boolean refused = e.code() == Code.UNAUTHENTICATED || e.code() == Code.PERMISSION_DENIED;
      boolean known =
          Set.of(
                  Code.INVALID_ARGUMENT,
                  Code.NOT_FOUND,
                  Code.UNIMPLEMENTED,
                  Code.FAILED_PRECONDITION,
                  Code.UNAVAILABLE)
              .contains(e.code());
      return refused ? e.code().name() : known ? "admitted" : e.code() + " " + e.getMessage();
    }
  }
}
