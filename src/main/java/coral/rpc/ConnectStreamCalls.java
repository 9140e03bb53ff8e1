package coral.rpc;

import com.google.protobuf.Message;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.NotUsed;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.japi.pf.PFBuilder;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;

/**
 * Calls by Connect that are answered with a stream, to one message or, over HTTP/2, to a stream
 * too. Their HTTP status is always 200: how they ended stands in the last envelope. The service is
 * asked for no more than the client reads.
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
        .thenCompose(admitted -> answers(form, method, admitted, request))
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

  private CompletionStage<Source<Message, ?>> answers(
      ConnectProtocol form, ServedMethod<?> method, Calls.Admitted admitted, HttpRequest request) {
    int limit = calls.limit(method);
    if (method.takesStream()) {
      Source<Message, NotUsed> messages =
          request
              .entity()
              .withoutSizeLimit()
              .getDataBytes()
              .mapMaterializedValue(whatever -> NotUsed.getInstance())
              .via(new FrameLimit(limit, admitted.compression(), calls.streamIdle()))
              .map(plain -> form.request(plain.drop(Envelope.PREFIX_LENGTH), method.request()));
      return Calls.completed(call(method, admitted, messages));
    }
    return calls
        .body(request, limit + Envelope.PREFIX_LENGTH, admitted.deadline())
        .thenApply(
            body -> {
              ByteString message = EnvelopeReader.only(body, limit, admitted.compression());
              return call(method, admitted, form.request(message, method.request()));
            });
  }

  private Source<Message, ?> call(ServedMethod<?> method, Calls.Admitted admitted, Object request) {
    return method.stream(admitted.caller(), admitted.deadline(), request, calls.system());
  }

  private static HttpResponse response(ConnectProtocol form, Source<ByteString, ?> envelopes) {
    return HttpResponse.create()
        .withEntity(HttpEntities.createChunked(form.streamType(), envelopes));
  }

  private static ByteString end(CallOutcome outcome, Throwable thrown) {
    return Envelope.of(Envelope.END, ConnectError.streamEnd(outcome.failed(thrown)));
  }
}
