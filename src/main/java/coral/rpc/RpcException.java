package coral.rpc;

import coral.model.Failure;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateNotYetValidException;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/** A call failed, seen from the client. The message is for people and says what to look at. */
public final class RpcException extends Exception {
  private static final long serialVersionUID = 1L;

  /** What kind of thing went wrong; each may need another reaction. */
  public enum Reason {
    /** The service answered with a refusal: see {@link RpcException#failure}. */
    REFUSED,
    /** Nothing answers at the address, or its name does not resolve. */
    UNREACHABLE,
    TIMEOUT,
    /** The server's certificate is not the pinned one. */
    PIN_MISMATCH,
    /** The server's certificate has expired, or is not yet valid by this host's clock. */
    SERVER_CERTIFICATE_EXPIRED,
    /** The server's certificate is not one to believe: wrong authority, purpose or name. */
    SERVER_NOT_TRUSTED,
    /** The server did not accept this side's certificate. */
    CERTIFICATE_REFUSED,
    /** Something answers that does not speak as expected. */
    PROTOCOL
  }

  private final Reason reason;
  private final Status.Code code;
  private final Failure failure;
  private final @Nullable Duration retryAfter;

  RpcException(
      Reason reason,
      Status.Code code,
      Failure failure,
      Optional<Duration> retryAfter,
      String message,
      @Nullable Throwable cause) {
    super(message, cause);
    this.reason = reason;
    this.code = code;
    this.failure = failure;
    this.retryAfter = retryAfter.orElse(null);
  }

  public Reason reason() {
    return reason;
  }

  /** The gRPC code; UNAVAILABLE or DEADLINE_EXCEEDED when the service never answered. */
  public Status.Code code() {
    return code;
  }

  /** The failure that the service named; NOT_READY when the service never answered. */
  public Failure failure() {
    return failure;
  }

  /** When the call may succeed, if it came too often and the service said so. */
  public Optional<Duration> retryAfter() {
    return Optional.ofNullable(retryAfter);
  }

  /**
   * What a failed call means.
   *
   * @param thrown by a generated client or a socket
   * @param server for the message, such as {@code host:port}
   */
  public static RpcException of(Throwable thrown, String server) {
    Throwable cause = FailureStatus.unwrap(thrown);
    if (cause instanceof RpcException already) {
      return already;
    }
    for (Throwable t = cause; t != null; t = t.getCause()) {
      RpcException meaning = ofTransport(t, server);
      if (meaning != null) {
        return meaning;
      }
    }
    if (cause instanceof StatusRuntimeException e) {
      Status status = e.getStatus();
      String description = status.getDescription();
      return new RpcException(
          switch (status.getCode()) {
            case UNAVAILABLE -> Reason.UNREACHABLE;
            case DEADLINE_EXCEEDED -> Reason.TIMEOUT;
            default -> Reason.REFUSED;
          },
          status.getCode(),
          FailureStatus.failure(e),
          FailureStatus.retryAfter(e),
          description == null ? status.getCode().name() : description,
          e);
    }
    return unanswered(
        Reason.PROTOCOL, server + " could not be called: " + cause.getMessage(), cause);
  }

  private static @Nullable RpcException ofTransport(Throwable t, String server) {
    if (t instanceof PinMismatchException pin) {
      return unanswered(
          Reason.PIN_MISMATCH,
          server
              + " is not the server that is pinned: it shows "
              + pin.actual()
              + ", expected "
              + pin.expected()
              + ". Compare the fingerprint with the one the server printed; if they differ,"
              + " somebody else may be answering",
          t);
    }
    if (t instanceof CertificateExpiredException || t instanceof CertificateNotYetValidException) {
      return unanswered(
          Reason.SERVER_CERTIFICATE_EXPIRED,
          server + " cannot be trusted: " + t.getMessage() + "; check both clocks, or renew it",
          t);
    }
    if (t instanceof CertificateException) {
      return unanswered(
          Reason.SERVER_NOT_TRUSTED, server + " cannot be trusted: " + t.getMessage(), t);
    }
    if (t instanceof ConnectException || t instanceof NoRouteToHostException) {
      boolean timeout =
          String.valueOf(t.getMessage()).toLowerCase(Locale.ROOT).contains("timed out");
      return timeout
          ? timeout(server, t)
          : unanswered(
              Reason.UNREACHABLE,
              "nothing answers at " + server + " (" + t.getMessage() + "); is it running?",
              t);
    }
    if (t instanceof UnknownHostException) {
      return unanswered(Reason.UNREACHABLE, "the host of " + server + " is not known", t);
    }
    if (t instanceof SocketTimeoutException || t instanceof TimeoutException) {
      return timeout(server, t);
    }
    boolean refused = t instanceof SSLException && saysCertificate(t);
    if (refused || t instanceof VerdictSocketFactory.HungUpException) {
      return unanswered(
          Reason.CERTIFICATE_REFUSED,
          server + " does not accept this client's certificate (" + t.getMessage() + ")",
          t);
    }
    return null;
  }

  /** Whether the peer sent one of the alerts about certificates (RFC 8446, section 6.2). */
  private static boolean saysCertificate(Throwable t) {
    String message = String.valueOf(t.getMessage()).toLowerCase(Locale.ROOT);
    return message.contains("received fatal alert")
        && (message.contains("certificate") || message.contains("unknown_ca"));
  }

  private static RpcException timeout(String server, Throwable t) {
    return new RpcException(
        Reason.TIMEOUT,
        Status.Code.DEADLINE_EXCEEDED,
        Failure.NOT_READY,
        Optional.empty(),
        server + " did not answer in time",
        t);
  }

  static RpcException unanswered(Reason reason, String message, @Nullable Throwable cause) {
    return new RpcException(
        reason, Status.Code.UNAVAILABLE, Failure.NOT_READY, Optional.empty(), message, cause);
  }
}
