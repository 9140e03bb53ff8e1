package coral.rpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.google.protobuf.Message;
import coral.api.colony.v1.CreateInvitationRequest;
import coral.api.colony.v1.ListAuditRecordsRequest;
import coral.api.colony.v1.RequestCertificateRequest;
import coral.api.colony.v1.RevokeCertificateRequest;
import coral.api.discovery.v1.RegisterColonyRequest;
import coral.api.discovery.v1.RequestRegistrationTokenRequest;
import coral.api.mesh.v1.AgentMessage;
import coral.api.mesh.v1.RegisterAgentRequest;
import io.grpc.Status;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.apache.pekko.grpc.GrpcServiceException;
import org.apache.pekko.util.ByteString;

/** Bodies of requests in each of the protocols: a message, or refused without being quoted. */
class RequestFuzzTest {
  private static final int MAX_MESSAGE_BYTES = 1000;

  private static final List<Message> MESSAGES =
      List.of(
          RequestRegistrationTokenRequest.getDefaultInstance(),
          RequestCertificateRequest.getDefaultInstance(),
          RegisterAgentRequest.getDefaultInstance(),
          AgentMessage.getDefaultInstance(),
          RegisterColonyRequest.getDefaultInstance(),
          CreateInvitationRequest.getDefaultInstance(),
          RevokeCertificateRequest.getDefaultInstance(),
          ListAuditRecordsRequest.getDefaultInstance());

  /** The first byte chooses a message and a protocol. */
  @FuzzTest(maxDuration = "8s")
  void aBodyIsAMessageOrRefused(byte[] input) throws Exception {
    if (input.length == 0) {
      return;
    }
    byte[] body = Arrays.copyOfRange(input, 1, input.length);
    Message prototype = MESSAGES.get((input[0] & 0x7f) % MESSAGES.size());
    message(input[0] < 0 ? ConnectProtocol.PROTOBUF : ConnectProtocol.JSON, body, prototype);
    frame(body);
  }

  private static void message(ConnectProtocol protocol, byte[] body, Message prototype)
      throws Exception {
    Message read;
    try {
      read = protocol.request(ByteString.fromArray(body), prototype);
    } catch (GrpcServiceException e) {
      assertEquals(Status.Code.INVALID_ARGUMENT, e.status().getCode());
      assertEquals(
          "the body is not a " + prototype.getDescriptorForType().getFullName(),
          e.status().getDescription());
      return;
    }
    assertEquals(
        read, ConnectProtocol.PROTOBUF.request(ConnectProtocol.PROTOBUF.print(read), read));
  }

  /** What the limit says of a body, beside what its five bytes and its length say. */
  private static void frame(byte[] body) {
    Status.Code expected = expected(body);
    try {
      EnvelopeReader.only(ByteString.fromArray(body), MAX_MESSAGE_BYTES, Compression.IDENTITY);
      assertEquals(Status.Code.OK, expected);
    } catch (GrpcServiceException e) {
      assertEquals(expected, e.status().getCode());
      assertTrue(Objects.requireNonNull(e.status().getDescription()).length() < 200);
    }
  }

  private static Status.Code expected(byte[] body) {
    ByteBuffer rest = ByteBuffer.wrap(body);
    if (!rest.hasRemaining()) {
      return Status.Code.INVALID_ARGUMENT;
    }
    int flags = rest.get();
    if (flags == 1) {
      return Status.Code.INTERNAL;
    }
    if (flags != 0 || rest.remaining() < Integer.BYTES) {
      return Status.Code.INVALID_ARGUMENT;
    }
    long length = Integer.toUnsignedLong(rest.getInt());
    if (length > MAX_MESSAGE_BYTES) {
      return Status.Code.RESOURCE_EXHAUSTED;
    }
    return length == rest.remaining() ? Status.Code.OK : Status.Code.INVALID_ARGUMENT;
  }
}
