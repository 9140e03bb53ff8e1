package coral.rpc;

import java.util.concurrent.CompletionStage;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;

/** Unary calls by Connect. */
final class ConnectUnaryCalls {
  private final Calls calls;

  ConnectUnaryCalls(Calls calls) {
    this.calls = calls;
  }

  /** Answers a POST. */
  CompletionStage<HttpResponse> answer(
      ConnectProtocol form, ServedMethod<?> method, HttpRequest request) {
    CallOutcome outcome = calls.begin(method);
    return calls
        .admitted(method, request, "content-encoding")
        .thenCompose(
            caller ->
                RequestBody.collect(request.entity(), calls.limit(method), calls.system())
                    .thenCompose(body -> method.call(caller, form.request(body, method.request()))))
        .thenApply(form::response)
        .exceptionally(thrown -> ConnectProtocol.error(outcome.failed(thrown)))
        .whenComplete((response, never) -> outcome.answered());
  }
}
