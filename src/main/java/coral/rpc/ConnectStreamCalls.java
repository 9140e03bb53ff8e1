package coral.rpc;

import java.util.concurrent.CompletionStage;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.japi.pf.PFBuilder;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;

/**
 * Calls by Connect that are answered with a stream. Their HTTP status is always 200: how they ended
 * stands in the last envelope. The service is asked for no more than the client reads.
 */
final class ConnectStreamCalls {
  private static final ByteString END_OF_STREAM =
      Envelope.of(Envelope.END, ConnectError.streamEnd());

  private final Calls calls;

  ConnectStreamCalls(Calls calls) {
    this.calls = calls;
  }

  CompletionStage<HttpResponse> answer(
      ConnectProtocol form, ServedMethod<?> method, HttpRequest request) {
    CallOutcome outcome = calls.begin(method);
    return calls
        .admitted(method, request, CallHeaders.CONNECT_STREAM)
        .thenCompose(admitted -> calls.answers(form, method, admitted, request))
        .thenApply(
            answers ->
                response(
                    form,
                    answers
                        .map(message -> Envelope.of(Envelope.MESSAGE, form.print(message)))
                        .concat(Source.single(END_OF_STREAM))
                        .recover(
                            new PFBuilder<Throwable, ByteString>()
                                .matchAny(thrown -> end(outcome, thrown))
                                .build())))
        .exceptionally(thrown -> response(form, Source.single(end(outcome, thrown))))
        .whenComplete((response, never) -> outcome.answered());
  }

  private static HttpResponse response(ConnectProtocol form, Source<ByteString, ?> envelopes) {
    return HttpResponse.create()
        .withEntity(HttpEntities.createChunked(form.streamType(), envelopes));
  }

  private static ByteString end(CallOutcome outcome, Throwable thrown) {
    return Envelope.of(Envelope.END, ConnectError.streamEnd(outcome.failed(thrown)));
  }
}
