package coral.rpc;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.protobuf.ByteString;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.InvalidProtocolBufferException;
import coral.api.reflection.v1.ExtensionRequest;
import coral.api.reflection.v1.ServerReflectionClient;
import coral.api.reflection.v1.ServerReflectionRequest;
import coral.api.reflection.v1.ServerReflectionResponse;
import coral.api.reflection.v1.ServiceResponse;
import io.grpc.Status;
import java.net.http.HttpResponse;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.Source;
import org.junit.jupiter.api.Test;

/** What a client learns of a server that it knows nothing of. */
final class ReflectionTest extends RpcServerFixture {
  private static List<ServerReflectionResponse> ask(ServerReflectionRequest... requests)
      throws Exception {
    return get(
        ServerReflectionClient.create(settings(pinned(null)), system)
            .serverReflectionInfo(Source.from(Arrays.asList(requests)))
            .runWith(Sink.seq(), system));
  }

  private static ServerReflectionRequest symbol(String name) {
    return ServerReflectionRequest.newBuilder().setFileContainingSymbol(name).build();
  }

  private static List<String> files(ServerReflectionResponse response)
      throws InvalidProtocolBufferException {
    List<String> names = new java.util.ArrayList<>();
    for (ByteString file : response.getFileDescriptorResponse().getFileDescriptorProtoList()) {
      names.add(FileDescriptorProto.parseFrom(file).getName());
    }
    return names;
  }

  @Test
  void itNamesWhatIsServed() throws Exception {
    ServerReflectionRequest list =
        ServerReflectionRequest.newBuilder().setHost("h").setListServices("*").build();
    ServerReflectionResponse answer = ask(list).get(0);
    assertEquals(list, answer.getOriginalRequest());
    assertEquals("h", answer.getValidHost());
    assertEquals(
        List.of(
            "coral.colony.v1.ColonyService",
            "coral.mesh.v1.MeshService",
            "grpc.reflection.v1.ServerReflection"),
        answer.getListServicesResponse().getServiceList().stream()
            .map(ServiceResponse::getName)
            .toList());
  }

  @Test
  void aSymbolIsFoundWithAllThatItsFileNeeds() throws Exception {
    List<ServerReflectionResponse> answers =
        ask(
            symbol("coral.mesh.v1.MeshService"),
            symbol("coral.mesh.v1.MeshService.Register"),
            symbol("coral.mesh.v1.SessionClosed"),
            symbol("coral.mesh.v1.SessionClosed.Reason"),
            symbol("coral.mesh.v1.SessionClosed.reason"),
            ServerReflectionRequest.newBuilder()
                .setFileByFilename("coral/mesh/v1/mesh.proto")
                .build());
    for (ServerReflectionResponse answer : answers) {
      assertEquals(
          List.of(
              "coral/mesh/v1/mesh.proto",
              "google/protobuf/duration.proto",
              "google/protobuf/timestamp.proto"),
          files(answer));
    }
  }

  @Test
  void whatIsNotThereIsNotFoundAndTheStreamGoesOn() throws Exception {
    List<ServerReflectionResponse> answers =
        ask(
            symbol("coral.discovery.v1.DiscoveryService"),
            ServerReflectionRequest.newBuilder().setFileByFilename("/etc/passwd").build(),
            ServerReflectionRequest.newBuilder()
                .setFileContainingExtension(
                    ExtensionRequest.newBuilder()
                        .setContainingType("coral.mesh.v1.Probe")
                        .setExtensionNumber(100))
                .build(),
            ServerReflectionRequest.newBuilder().setAllExtensionNumbersOfType("no.Type").build(),
            ServerReflectionRequest.getDefaultInstance(),
            ServerReflectionRequest.newBuilder()
                .setAllExtensionNumbersOfType("coral.mesh.v1.Probe")
                .build());
    assertEquals(
        List.of(5, 5, 5, 5, 3, 0),
        answers.stream().map(answer -> answer.getErrorResponse().getErrorCode()).toList());
    assertEquals(
        "coral.mesh.v1.Probe", answers.get(5).getAllExtensionNumbersResponse().getBaseTypeName());
  }

  @Test
  void olderClientsAreAnsweredByTheOlderName() throws Exception {
    HttpResponse<byte[]> answer =
        post(
            "application/grpc",
            Map.of(),
            Reflection.OLDER_RPC,
            Envelope.of(0, symbol("coral.mesh.v1.Probe").toByteArray()));
    byte[] message =
        Arrays.copyOfRange(answer.body(), Envelope.PREFIX_LENGTH, answer.body().length);
    assertEquals(
        "coral/mesh/v1/mesh.proto", files(ServerReflectionResponse.parseFrom(message)).get(0));
  }

  @Test
  void aStreamAsksForNoMoreThanThereIs() throws Exception {
    ServerReflectionRequest[] many = new ServerReflectionRequest[Reflection.MAX_REQUESTS + 1];
    Arrays.fill(many, ServerReflectionRequest.getDefaultInstance());
    assertEquals(
        Status.Code.RESOURCE_EXHAUSTED,
        refusal(
                () ->
                    ServerReflectionClient.create(settings(pinned(null)), system)
                        .serverReflectionInfo(Source.from(Arrays.asList(many)))
                        .runWith(Sink.ignore(), system))
            .getCode());
    assertEquals(
        Status.Code.RESOURCE_EXHAUSTED,
        refusal(
                () ->
                    ServerReflectionClient.create(settings(pinned(null)), system)
                        .serverReflectionInfo(
                            Source.single(symbol("x".repeat(Reflection.MAX_REQUEST_BYTES))))
                        .runWith(Sink.ignore(), system))
            .getCode());
  }
}
