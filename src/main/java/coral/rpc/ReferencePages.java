package coral.rpc;

import com.google.protobuf.ByteString;
import coral.model.Failure;
import coral.model.RefusedException;
import coral.rpc.reference.ApiReference;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Serves the pages about an API; they are made when the first one is asked for, and kept. */
final class ReferencePages {
  private static final Duration MAX_AGE = Duration.ofMinutes(5);

  private final Supplier<ApiReference> making;
  private @Nullable ApiReference made;

  ReferencePages(Supplier<ApiReference> making) {
    this.making = making;
  }

  void serve(HttpDocuments documents) {
    String path = ApiReference.PATH.substring(0, ApiReference.PATH.length() - 1);
    documents.get(path, (remote, body) -> page(""));
    documents.getBelow(path, (remote, name) -> page(name.toStringUtf8()));
  }

  private CompletionStage<HttpDocument> page(String name) {
    return reference()
        .page(name)
        .map(
            page ->
                CompletableFuture.completedFuture(
                    new HttpDocument(
                        page.contentType(), ByteString.copyFromUtf8(page.content()), MAX_AGE)))
        .orElseGet(
            () ->
                CompletableFuture.failedFuture(
                    new RefusedException(Failure.NOT_FOUND, "no such page")));
  }

  private synchronized ApiReference reference() {
    ApiReference reference = made == null ? making.get() : made;
    made = reference;
    return reference;
  }
}
