package coral.colony;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.Descriptors.MethodDescriptor;
import com.google.protobuf.Descriptors.ServiceDescriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.Empty;
import coral.api.colony.v1.AuditProto;
import coral.api.colony.v1.ColonyProto;
import coral.api.colony.v1.RequestCertificateRequest;
import coral.api.mesh.v1.MeshProto;
import coral.colony.TestColony.Member;
import coral.rpc.ClientCertificate;
import coral.rpc.RpcException;
import io.grpc.Status.Code;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Every rpc of the colony's port, tried as everyone over real TLS. */
@Timeout(120)
class ColonyAuthorizationTest {
  /** Who gets past the table; written down a second time, for the table itself cannot prove it. */
  private static final Map<String, Set<String>> EXPECTED =
      Map.ofEntries(
          Map.entry("RequestCertificate", Set.of("anyone", "agent", "administrator")),
          Map.entry("GetCACertificate", Set.of("anyone", "agent", "administrator")),
          Map.entry("Register", Set.of("agent")),
          Map.entry("Session", Set.of("agent")),
          Map.entry("Deregister", Set.of("agent", "administrator")),
          Map.entry("GetStatus", Set.of("administrator")),
          Map.entry("ListAgents", Set.of("administrator")),
          Map.entry("GetTopology", Set.of("administrator")),
          Map.entry("ListAllocations", Set.of("administrator")),
          Map.entry("ListAuditRecords", Set.of("administrator")),
          Map.entry("ListAuditRoots", Set.of("administrator")));

  private static final FileDescriptor[] FILES = {
    MeshProto.getDescriptor(), ColonyProto.getDescriptor(), AuditProto.getDescriptor()
  };

  @TempDir Path directory;

  @Test
  void theTableNamesEveryRpcOfThePortAndNoOther() {
    assertEquals(Set.of(), ColonyRpcs.AUTHORIZATION.missing(FILES));
    assertEquals(Set.of(), ColonyRpcs.AUTHORIZATION.unknown(FILES));
  }

  @Test
  void everyRpcAsEveryoneIsAdmittedOrRefusedAsTheTableSays() throws Exception {
    List<MethodDescriptor> methods = new ArrayList<>();
    for (FileDescriptor file : FILES) {
      for (ServiceDescriptor service : file.getServices()) {
        methods.addAll(service.getMethods());
      }
    }
    try (TestColony colony = TestColony.start(directory)) {
      Member agent = colony.bootstrap("web-1");
      Map<String, Optional<ClientCertificate>> callers =
          Map.of(
              "anyone", Optional.empty(),
              "agent", Optional.of(agent.certificate()),
              "administrator", Optional.of(colony.administrator()));
      Map<String, String> expected = new TreeMap<>();
      Map<String, String> actual = new TreeMap<>();
      for (MethodDescriptor method : methods) {
        for (String caller : callers.keySet()) {
          String what = method.getName() + " as " + caller;
          boolean allowed = EXPECTED.getOrDefault(method.getName(), Set.of()).contains(caller);
          expected.put(
              what,
              allowed
                  ? "admitted"
                  : (caller.equals("anyone") ? Code.UNAUTHENTICATED : Code.PERMISSION_DENIED)
                      .name());
          actual.put(what, outcome(colony, callers.getOrDefault(caller, Optional.empty()), method));
        }
      }
      assertEquals(expected, actual);
    }
  }

  /** Admitted calls fail later, on what is in them, or because a stream is not a unary call. */
  private static String outcome(
      TestColony colony, Optional<ClientCertificate> as, MethodDescriptor method) {
    boolean bootstrap = method.getName().equals("RequestCertificate");
    try {
      colony.call(
          as,
          method.getService().getFullName() + "/" + method.getName(),
          bootstrap
              ? RequestCertificateRequest.newBuilder()
                  .setColonySecret(colony.created.secret().reveal())
                  .build()
              : DynamicMessage.getDefaultInstance(method.getInputType()),
          Empty.parser());
      return "admitted";
    } catch (RpcException e) {
      boolean refused = e.code() == Code.UNAUTHENTICATED || e.code() == Code.PERMISSION_DENIED;
      boolean known =
          Set.of(Code.INVALID_ARGUMENT, Code.NOT_FOUND, Code.UNIMPLEMENTED).contains(e.code());
      return refused ? e.code().name() : known ? "admitted" : e.code() + " " + e.getMessage();
    }
  }
}
