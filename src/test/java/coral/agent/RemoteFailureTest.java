package coral.agent;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.agent.JoinFailure.Kind;
import coral.agent.JoinFailure.Remedy;
import coral.model.Failure;
import coral.model.RefusedException;
import coral.rpc.FailureStatus;
import coral.rpc.RpcException;
import io.grpc.Metadata;
import io.grpc.StatusRuntimeException;
import java.net.ConnectException;
import java.util.EnumMap;
import java.util.Map;
import javax.net.ssl.SSLHandshakeException;
import org.junit.jupiter.api.Test;

class RemoteFailureTest {

  /** Every refusal has its meaning; a new one does not compile without. */
  @Test
  void refusalsOfARegistrationMeanDifferentThings() {
    Map<Failure, Kind> expected = new EnumMap<>(Failure.class);
    expected.put(Failure.UNAUTHENTICATED, Kind.CERTIFICATE_REFUSED);
    expected.put(Failure.PERMISSION_DENIED, Kind.CERTIFICATE_REFUSED);
    expected.put(Failure.AGENT_ID_TAKEN, Kind.AGENT_ID_TAKEN);
    expected.put(Failure.WIREGUARD_KEY_TAKEN, Kind.WIREGUARD_KEY_TAKEN);
    expected.put(Failure.POOL_EXHAUSTED, Kind.POOL_EXHAUSTED);
    expected.put(Failure.INTERNAL, Kind.COLONY_NOT_READY);
    expected.put(Failure.LIMIT_REACHED, Kind.TOO_MANY_REQUESTS);
    expected.put(Failure.INVALID_ARGUMENT, Kind.REFUSED);
    expected.put(Failure.REQUEST_ID_REUSED, Kind.REFUSED);
    expected.put(Failure.FAILED_PRECONDITION, Kind.REFUSED);
    expected.forEach(
        (failure, kind) -> {
          JoinFailure meaning = meaning(refusal(failure), Kind.CERTIFICATE_REFUSED);
          assertEquals(kind, meaning.kind(), failure.name());
          assertTrue(meaning.message().contains("said the colony"), meaning.message());
        });
  }

  @Test
  void whoeverDoesNotKnowTheSecretIsToldSo() {
    JoinFailure meaning = meaning(refusal(Failure.UNAUTHENTICATED), Kind.WRONG_SECRET);
    assertEquals(Kind.WRONG_SECRET, meaning.kind());
    assertTrue(meaning.message().contains("coral init"), meaning.message());
  }

  @Test
  void aPortThatNobodyListensOnIsAnUnreachableColony() {
    JoinFailure meaning =
        meaning(
            RpcException.of(new ConnectException("Connection refused"), "10.0.0.1:9000"),
            Kind.WRONG_SECRET);
    assertEquals(Kind.COLONY_UNREACHABLE, meaning.kind());
    assertTrue(meaning.message().contains("10.0.0.1:9000"), meaning.message());
  }

  @Test
  void anAlertAboutTheCertificateIsARefusalOfIt() {
    JoinFailure meaning =
        meaning(
            RpcException.of(
                new SSLHandshakeException("Received fatal alert: certificate_unknown"), "a:1"),
            Kind.CERTIFICATE_REFUSED);
    assertEquals(Kind.CERTIFICATE_REFUSED, meaning.kind());
  }

  /** "The tunnel that works keeps working." */
  @Test
  void onlyWhatEndsAMembershipStopsAMember() {
    for (Kind kind : Kind.values()) {
      boolean ends =
          kind == Kind.SUPERSEDED || kind == Kind.DEREGISTERED || kind == Kind.DEVICE_LOST;
      assertEquals(ends, kind.remedy(true) == Remedy.STOP, kind.name());
    }
  }

  private static JoinFailure meaning(RpcException e, Kind notWhoWeSay) {
    return RemoteFailure.ofColony(e, notWhoWeSay).failure();
  }

  private static RpcException refusal(Failure failure) {
    var status = FailureStatus.exception(new RefusedException(failure, "said the colony"));
    Metadata trailers = new Metadata();
    trailers.put(
        Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER),
        status.getMetadata().getBinary("grpc-status-details-bin").orElseThrow().toArrayUnsafe());
    return RpcException.of(new StatusRuntimeException(status.status(), trailers), "colony:9000");
  }
}
