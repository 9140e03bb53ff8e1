package coral.colony;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.protobuf.Descriptors.MethodDescriptor;
import com.google.protobuf.Descriptors.ServiceDescriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.Empty;
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
      Map.of(
          "RequestCertificate", Set.of("anyone", "agent", "administrator"),
          "GetCACertificate", Set.of("anyone", "agent", "administrator"),
          "Register", Set.of("agent"),
          "Session", Set.of("agent"),
          "Deregister", Set.of("agent", "administrator"),
          "GetStatus", Set.of("administrator"),
          "ListAgents", Set.of("administrator"),
          "GetTopology", Set.of("administrator"),
          "ListAllocations", Set.of("administrator"));

  @TempDir Path directory;

  @Test
  void theTableNamesEveryRpcOfThePortAndNoOther() {
    var files = List.of(MeshProto.getDescriptor(), ColonyProto.getDescriptor());
    assertEquals(Set.of(), ColonyRpcs.AUTHORIZATION.missing(files.get(0), files.get(1)));
    assertEquals(Set.of(), ColonyRpcs.AUTHORIZATION.unknown(files.get(0), files.get(1)));
  }

  @Test
  void everyRpcAsEveryoneIsAdmittedOrRefusedAsTheTableSays() throws Exception {
    List<MethodDescriptor> methods = new ArrayList<>();
    for (var file : List.of(MeshProto.getDescriptor(), ColonyProto.getDescriptor())) {
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
