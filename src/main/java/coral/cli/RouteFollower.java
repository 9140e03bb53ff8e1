package coral.cli;

import com.google.protobuf.Message;
import coral.colony.ColonyRpcs;
import coral.model.Failure;
import coral.rpc.ConnectClient;
import coral.rpc.Role;
import coral.rpc.RpcException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/** Makes calls by the first of the {@link Routes} that leads to the colony and may do them. */
final class RouteFollower {
  /**
   * Of one address of which some lead nowhere. Twice the second after which TCP repeats a lost SYN
   * (RFC 6298, section 2).
   */
  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(2);

  private final ColonyContext colony;
  private final AskerIdentity asker;
  private final Routes routes;
  private final Duration timeout;
  private final Duration connectTimeout;
  private final RouteLog log;

  /** By the rank of the route, as all that follows. */
  private final Map<Integer, ConnectClient> clients = new HashMap<>();

  private final BitSet useless = new BitSet();
  private @Nullable Integer taken;

  /** A call over one connection. */
  interface Call<T> {
    T over(ConnectClient client) throws RpcException;
  }

  /**
   * @param timeout of each call
   */
  RouteFollower(
      ColonyContext colony, AskerIdentity asker, Routes routes, Duration timeout, RouteLog log) {
    this.colony = colony;
    this.asker = asker;
    this.routes = routes;
    this.timeout = timeout;
    // The first address that leads nowhere leaves time for another.
    Duration half = timeout.dividedBy(2);
    this.connectTimeout = CONNECT_TIMEOUT.compareTo(half) < 0 ? CONNECT_TIMEOUT : half;
    this.log = log;
  }

  /** By which the last call was answered. */
  Optional<Route> taken() {
    return taken == null ? Optional.empty() : routes.get(taken);
  }

  /**
   * Makes a call.
   *
   * @param rpc its full name
   * @param next what to do about a refusal of a kind, for people
   * @throws CommandFailedException if the colony refuses, or no way leads to it
   */
  <T> T call(String rpc, Call<T> call, Map<Failure, String> next) {
    RpcException last = null;
    RpcException refused = null;
    for (int rank = 0; ; rank++) {
      Optional<Route> ranked = routes.get(rank);
      if (ranked.isEmpty()) {
        break;
      }
      Route route = ranked.get();
      if (useless.get(rank) || !suffices(route, rpc)) {
        continue;
      }
      // First: without a certificate there is nothing to connect for.
      ConnectClient client = client(route, rank);
      if (!isReachable(route, rank)) {
        continue;
      }
      log.say(
          "POST "
              + (route.via() == Via.PROXY ? "http://" : "https://")
              + route.endpoint()
              + "/"
              + rpc
              + " ("
              + route.via().words()
              + ", "
              + route.origin()
              + ")");
      try {
        T answer = call.over(client);
        taken = rank;
        log.say(
            answer instanceof Message message
                ? "Response received (" + message.getSerializedSize() + " bytes)"
                : "The response has begun");
        return answer;
      } catch (RpcException e) {
        taken = rank;
        if (!goesOn(e, route, rpc)) {
          throw failure(e, next);
        }
        log.failed(route.toString(), reason(e, route));
        if (isForbidden(e)) {
          refused = e;
        } else {
          useless.set(rank);
          last = e;
        }
      }
    }
    throw refused == null ? nothingWorks(last) : failure(refused, next);
  }

  private boolean suffices(Route route, String rpc) {
    Role role = route.role().orElse(Role.ADMINISTRATOR);
    if (ColonyRpcs.mayCall(role, rpc)) {
      return true;
    }
    log.failed(
        route.toString(), "its role, " + role.wireName() + ", is not allowed to call " + rpc);
    return false;
  }

  /**
   * Whether a connection can be made, if there are others to turn to. A call itself does not tell
   * whether it was heard before it failed, so that it could be made again elsewhere.
   */
  private boolean isReachable(Route route, int rank) {
    if (Objects.equals(rank, taken) || !routes.mayGoOn(rank)) {
      return true;
    }
    try (Socket socket = new Socket(java.net.Proxy.NO_PROXY)) {
      socket.connect(
          new InetSocketAddress(route.endpoint().host(), route.endpoint().port()),
          Math.toIntExact(connectTimeout.toMillis()));
      return true;
    } catch (IOException e) {
      RpcException meaning = RpcException.of(e, route.endpoint().toString());
      log.failed(route.toString(), String.valueOf(meaning.getMessage()));
      useless.set(rank);
      return false;
    }
  }

  private ConnectClient client(Route route, int rank) {
    return clients.computeIfAbsent(
        rank,
        absent ->
            route.via() == Via.PROXY
                ? ConnectClient.plaintext(route.endpoint(), connectTimeout, timeout)
                : ConnectClient.https(route.endpoint(), asker.tls(), connectTimeout, timeout));
  }

  /** Whether nothing has been done yet, or may be done twice, and another way may do better. */
  private static boolean goesOn(RpcException e, Route route, String rpc) {
    boolean reads = ColonyRpcs.mayCall(Role.VIEWER, rpc);
    return switch (e.reason()) {
      case UNREACHABLE, PIN_MISMATCH, SERVER_NOT_TRUSTED, SERVER_CERTIFICATE_EXPIRED -> true;
      case PROTOCOL -> reads || e.getCause() instanceof SSLException;
      case REFUSED ->
          route.via() == Via.PROXY
              && (isForbidden(e) || (reads && e.code() == io.grpc.Status.Code.UNAVAILABLE));
      case TIMEOUT, CERTIFICATE_REFUSED -> false;
    };
  }

  private static boolean isForbidden(RpcException e) {
    return e.reason() == RpcException.Reason.REFUSED
        && (e.failure() == Failure.PERMISSION_DENIED || e.failure() == Failure.UNAUTHENTICATED);
  }

  private static String reason(RpcException e, Route route) {
    return isForbidden(e)
        ? "the colony refuses its role, "
            + route.role().map(Role::wireName).orElse("that of this certificate")
            + ": "
            + e.getMessage()
        : String.valueOf(e.getMessage());
  }

  /** What a failed call means, which no other way could have made. */
  CommandFailedException failure(RpcException e, Map<Failure, String> next) {
    if (e.reason() != RpcException.Reason.REFUSED) {
      return new CommandFailedException(
          "colony " + colony.id() + " cannot be asked: " + e.getMessage(),
          RouteAdvice.unanswered(colony, e),
          e);
    }
    Optional<Route> proxy = taken().filter(route -> route.via() == Via.PROXY);
    String asked =
        proxy.isPresent() && isForbidden(e)
            ? " (asked through the proxy at "
                + proxy.get().endpoint()
                + ", whose role is "
                + proxy.get().role().map(Role::wireName).orElse("unknown")
                + ")"
            : "";
    return new CommandFailedException(
        "colony "
            + colony.id()
            + " refuses: "
            + Table.printable(String.valueOf(e.getMessage()))
            + asked,
        next.getOrDefault(e.failure(), RouteAdvice.refused(colony, e, proxy.isPresent())),
        e);
  }

  private CommandFailedException nothingWorks(@Nullable RpcException last) {
    String message =
        "colony "
            + colony.id()
            + " cannot be asked; tried:\n  "
            + String.join("\n  ", log.failures());
    return last == null
        ? new CommandFailedException(message, RouteAdvice.unreachable(colony))
        : new CommandFailedException(message, RouteAdvice.unanswered(colony, last), last);
  }
}
