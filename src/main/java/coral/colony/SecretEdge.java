package coral.colony;

import coral.api.colony.v1.RotateSecretRequest;
import coral.api.colony.v1.RotateSecretResponse;
import coral.api.colony.v1.SecretService;
import coral.model.AuditEvent;
import coral.model.AuditSink;
import coral.rpc.Caller;
import java.time.Duration;
import java.util.concurrent.CompletionStage;

/** {@code SecretService} for one call of one caller, whom the authorisation table has let pass. */
final class SecretEdge implements SecretService {
  private final Caller caller;
  private final SecretReplacement secret;
  private final AuditSink sink;

  SecretEdge(Caller caller, SecretReplacement secret, AuditSink sink) {
    this.caller = caller;
    this.secret = secret;
    this.sink = sink;
  }

  @Override
  public CompletionStage<RotateSecretResponse> rotateSecret(RotateSecretRequest request) {
    Duration grace =
        request.hasGrace()
            ? Requests.duration(
                "grace", request.getGrace(), Duration.ZERO, SecretReplacement.MAX_GRACE)
            : SecretReplacement.DEFAULT_GRACE;
    AuditEvent event = AuditMapping.by(caller, AuditEvent.Kind.SECRET_ROTATED);
    return sink.recorded(event.detail("asks for another colony secret, grace " + grace))
        .thenCompose(recorded -> secret.replace(grace))
        .thenApply(
            replaced ->
                RotateSecretResponse.newBuilder()
                    .setColonySecret(replaced.secret().reveal())
                    .setFormerSecretExpiresAt(Protobuf.timestamp(replaced.formerEndsAt()))
                    .build());
  }
}
