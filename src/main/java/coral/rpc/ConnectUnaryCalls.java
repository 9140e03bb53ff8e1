package coral.rpc;

import java.util.concurrent.CompletionStage;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.model.headers.RawHeader;
import org.apache.pekko.util.ByteString;

/** Unary calls by Connect. */
final class ConnectUnaryCalls {
  private final Calls calls;

  ConnectUnaryCalls(Calls calls) {
    this.calls = calls;
  }

  /** Answers a POST. */
  CompletionStage<HttpResponse> post(
      ConnectProtocol form, ServedMethod<?> method, HttpRequest request) {
    int limit = calls.limit(method);
    return answer(
        form,
        method,
        request,
        admitted -> {
          calls.requireOneMessage(method, request);
          return calls
              .body(request, limit, admitted.deadline())
              .thenApply(body -> admitted.compression().inflate(body, limit));
        });
  }

  /** Answers a GET, whose message is in its query. */
  CompletionStage<HttpResponse> get(
      ConnectQuery query, ServedMethod<?> method, HttpRequest request) {
    RequestBody.discard(request.entity(), calls.system());
    return answer(
            query.form(),
            method,
            request,
            admitted -> Calls.completed(query.message(calls.limit(method))))
        // Who may read it depends on who asks.
        .thenApply(
            response ->
                response
                    .addHeader(RawHeader.create("Cache-Control", "no-store"))
                    .addHeader(RawHeader.create("X-Content-Type-Options", "nosniff")));
  }

  @FunctionalInterface
  private interface Body {
    CompletionStage<ByteString> of(Calls.Admitted admitted);
  }

  private CompletionStage<HttpResponse> answer(
      ConnectProtocol form, ServedMethod<?> method, HttpRequest request, Body message) {
    CallOutcome outcome = calls.begin(method);
    return calls
        .admitted(method, request, CallHeaders.CONNECT_UNARY)
        .thenCompose(
            admitted ->
                message
                    .of(admitted)
                    .thenCompose(
                        bytes ->
                            method.call(
                                admitted.caller(),
                                admitted.deadline(),
                                form.request(bytes, method.request()),
                                calls.system())))
        .thenApply(form::response)
        .exceptionally(thrown -> ConnectProtocol.error(outcome.failed(thrown)))
        .whenComplete((response, never) -> outcome.answered());
  }
}
