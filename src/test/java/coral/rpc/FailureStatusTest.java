package coral.rpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.model.Failure;
import coral.model.Refused;
import coral.model.RefusedException;
import io.grpc.Status;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;
import org.apache.pekko.grpc.GrpcServiceException;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class FailureStatusTest {
  @ParameterizedTest
  @EnumSource(Failure.class)
  void everyFailureHasAStatusAndComesBackFromIt(Failure failure) {
    GrpcServiceException exception = FailureStatus.exception(new Refused(failure, "why"));
    Status.Code code = exception.status().getCode();
    assertNotEquals(Status.Code.OK, code);
    assertNotEquals(Status.Code.UNKNOWN, code);
    assertEquals("why", exception.status().getDescription());
    assertEquals(failure, FailureStatus.failure(exception));
  }

  @ParameterizedTest
  @EnumSource(Status.Code.class)
  void everyCodeOfAnotherServerHasAFailure(Status.Code code) {
    Failure failure = FailureStatus.failure(code, Optional.empty());
    // A name that contradicts the code is not believed.
    Optional<String> wrong =
        Optional.of(code == Status.Code.NOT_FOUND ? "INTERNAL" : Failure.NOT_FOUND.name());
    assertEquals(failure, FailureStatus.failure(code, wrong));
  }

  @ParameterizedTest
  @EnumSource(value = Status.Code.class, mode = EnumSource.Mode.EXCLUDE, names = "OK")
  void everyCodeHasAnHttpStatus(Status.Code code) {
    HttpResponse response = ConnectProtocol.error(new GrpcServiceException(code.toStatus()));
    assertTrue(response.status().intValue() >= 400, code + ": " + response.status());
    assertEquals(code == Status.Code.CANCELLED, response.status().intValue() == 499);
  }

  @Test
  void wrappersOfStagesAreTakenOff() {
    Throwable wrapped =
        new CompletionException(
            new ExecutionException(new RefusedException(Failure.POOL_EXHAUSTED, "full")));
    assertEquals(
        Status.Code.RESOURCE_EXHAUSTED, FailureStatus.exception(wrapped).status().getCode());
    Throwable late = new CompletionException(new TimeoutException());
    assertEquals(Status.Code.DEADLINE_EXCEEDED, FailureStatus.exception(late).status().getCode());
  }
}
