package coral.colony;

import com.google.protobuf.ByteString;
import coral.certificate.Authority;
import coral.certificate.Intermediate;
import coral.certificate.OcspResponder;
import coral.certificate.RevocationList;
import coral.certificate.RevocationLists;
import coral.certificate.RevocationUrls;
import coral.model.Failure;
import coral.model.RefusedException;
import coral.rpc.CallerIdentity;
import coral.rpc.HttpDocument;
import coral.rpc.RateLimit;
import coral.rpc.RpcAuthorization;
import coral.rpc.RpcServer;
import coral.rpc.SourceNetwork;
import java.net.InetAddress;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.apache.pekko.actor.ClassicActorSystemProvider;
import org.apache.pekko.http.javadsl.ServerBinding;

/**
 * Tells third parties over plain HTTP which certificates have ended: lists (RFC 5280, section
 * 4.2.1.13 has them at such places) and single answers (RFC 6960). All that is served is public and
 * signed.
 */
final class RevocationPort {
  /** A list is signed anew within an hour, or when it changes: what is kept longer hides that. */
  private static final Duration LISTS_KEPT = Duration.ofMinutes(5);

  /** Questions that one source may ask in a row; an answer costs a signature. */
  private static final int OCSP_BURST = 50;

  private static final Duration OCSP_INTERVAL = Duration.ofMillis(50);

  /** Signatures for all sources together: a thirtieth of what one core can make. */
  static final int SIGNATURES_BURST = 500;

  private static final Duration SIGNATURES_INTERVAL = Duration.ofMillis(2);

  /** Questions that wait for their signature, less than 100 ms of one core. */
  static final int MAX_WAITING = 256;

  private static final String PEM = "application/x-pem-file";

  /** RFC 5280, section 4.2.1.13. */
  private static final String CRL = "application/pkix-crl";

  private final Authority authority;
  private final RevocationLists lists;
  private final OcspResponder ocsp;
  private final RateLimit<SourceNetwork> limit;
  private final RateLimit<String> signatures;
  private final Semaphore waiting = new Semaphore(MAX_WAITING);
  private final Executor signing;
  private final Executor blocking;

  /**
   * What the port serves.
   *
   * @param signing where OCSP answers are signed, and nothing else is done
   * @param blocking where lists are signed, at most a few in an hour
   */
  RevocationPort(
      Authority authority,
      RevocationLists lists,
      OcspResponder ocsp,
      InstantSource clock,
      Executor signing,
      Executor blocking) {
    this.authority = authority;
    this.lists = lists;
    this.ocsp = ocsp;
    this.limit = new RateLimit<>(clock, OCSP_BURST, OCSP_INTERVAL);
    this.signatures = new RateLimit<>(clock, SIGNATURES_BURST, SIGNATURES_INTERVAL);
    this.signing = signing;
    this.blocking = blocking;
  }

  /** Opens the port. */
  CompletionStage<ServerBinding> bind(ClassicActorSystemProvider system, String host, int port) {
    return RpcServer.builder(system, CallerIdentity.none(), RpcAuthorization.of(Map.of()))
        .get("/ca.pem", (remote, body) -> document(PEM, this::roots))
        .get("/crl.pem", (remote, body) -> document(PEM, this::allLists))
        .get("/crl.der", (remote, body) -> document(CRL, this::membersList))
        .getBelow(RevocationUrls.LISTS, (remote, name) -> document(CRL, () -> list(name)))
        .post(RevocationUrls.RESPONDER, OcspResponder.MAX_REQUEST_BYTES, this::answer)
        .getBelow(RevocationUrls.RESPONDER, (remote, question) -> answer(remote, decoded(question)))
        .build()
        .bind(host, port, Optional.empty());
  }

  private CompletionStage<HttpDocument> document(String type, Supplier<ByteString> content) {
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            return new HttpDocument(type, content.get(), LISTS_KEPT);
          } catch (IllegalStateException e) {
            throw new RefusedException(
                Failure.NOT_READY, "nothing is known yet of what has ended: try again later");
          }
        },
        blocking);
  }

  private ByteString roots() {
    return ByteString.copyFromUtf8(authority.trustBundle().pem());
  }

  /** Of every issuer, one behind the other. */
  private ByteString allLists() {
    return ByteString.copyFromUtf8(
        lists.all().stream().map(RevocationList::pem).collect(Collectors.joining()));
  }

  /** Of the issuer that certificates name, by {@link RevocationUrls#listName}. */
  private ByteString list(ByteString name) {
    String wanted = name.toStringUtf8();
    return authority.intermediates().stream()
        .map(Intermediate::certificate)
        .filter(issuer -> RevocationUrls.listName(issuer).equals(wanted))
        .findAny()
        .flatMap(lists::of)
        .map(list -> ByteString.copyFrom(list.der()))
        .orElseThrow(
            () -> new RefusedException(Failure.NOT_FOUND, "there is no list of this issuer"));
  }

  /** DER has room for one: of the issuer of members' certificates. */
  private ByteString membersList() {
    List<Intermediate> intermediates =
        authority.intermediates().stream()
            .filter(intermediate -> intermediate.kind() == Intermediate.Kind.CLIENT)
            .toList();
    if (intermediates.isEmpty()) {
      throw new RefusedException(Failure.NOT_FOUND, "no intermediate signs for members");
    }
    return lists
        .of(intermediates.get(intermediates.size() - 1).certificate())
        .map(list -> ByteString.copyFrom(list.der()))
        .orElseThrow(
            () -> new RefusedException(Failure.NOT_FOUND, "the issuer's key is out of reach"));
  }

  /**
   * RFC 6960, section A.1.1: the base64 of a question, URL-encoded. What is none becomes no bytes,
   * which the responder refuses as it does every malformed question.
   */
  private static ByteString decoded(ByteString question) {
    String text =
        question.toStringUtf8().replace("%2B", "+").replace("%2F", "/").replace("%3D", "=");
    try {
      return ByteString.copyFrom(Base64.getDecoder().decode(text));
    } catch (IllegalArgumentException e) {
      return ByteString.EMPTY;
    }
  }

  private CompletionStage<HttpDocument> answer(InetAddress remote, ByteString request) {
    if (!limit.take(SourceNetwork.of(remote)).isZero()) {
      throw tooMany("too many questions came from this address: ask again later");
    }
    byte[] question = request.toByteArray();
    Optional<byte[]> unsigned = ocsp.respondUnsigned(question);
    if (unsigned.isPresent()) {
      return CompletableFuture.completedFuture(document(unsigned.get()));
    }
    if (!signatures.take("all").isZero() || !waiting.tryAcquire()) {
      throw tooMany("too many questions wait for their answers: ask again later");
    }
    CompletionStage<HttpDocument> answer;
    try {
      answer = CompletableFuture.supplyAsync(() -> document(ocsp.respond(question)), signing);
    } catch (RejectedExecutionException e) {
      waiting.release();
      throw tooMany("the colony is stopping");
    }
    return answer.whenComplete((document, failure) -> waiting.release());
  }

  private static HttpDocument document(byte[] answer) {
    return new HttpDocument(
        OcspResponder.RESPONSE_TYPE, ByteString.copyFrom(answer), Duration.ZERO);
  }

  private static RefusedException tooMany(String message) {
    return new RefusedException(Failure.LIMIT_REACHED, message);
  }
}
