package coral.cli;

import coral.rpc.RpcException;
import io.grpc.Status;

/** What to do when a colony cannot be asked, or refuses. */
final class RouteAdvice {
  private RouteAdvice() {}

  /** No way leads to it. */
  static String unreachable(ColonyContext colony) {
    return colony.own().isPresent()
        ? "Start it with 'coral colony start --colony "
            + colony.id()
            + "', or say where it answers with --endpoint HOST:PORT."
        : "Start a proxy with 'coral proxy start "
            + colony.id()
            + "', or say where the colony answers with --endpoint HOST:PORT;\n'coral context show "
            + colony.id()
            + "' tells what is known of it.";
  }

  /** It did not answer as itself. */
  static String unanswered(ColonyContext colony, RpcException failure) {
    return switch (failure.reason()) {
      case UNREACHABLE, TIMEOUT -> unreachable(colony);
      case PIN_MISMATCH, SERVER_NOT_TRUSTED, PROTOCOL ->
          "Something else answers there: check --endpoint and --colony.";
      case SERVER_CERTIFICATE_EXPIRED -> "Compare the clocks of both hosts.";
      case CERTIFICATE_REFUSED ->
          colony.own().isPresent()
              ? "Check that CORAL_HOME is the one the colony was made in."
              : "Import another invitation: 'coral context import --force', with what 'coral invite"
                  + " --role viewer'\nor '--role operator' prints on the colony's side.";
      case REFUSED -> unreachable(colony);
    };
  }

  /** It said no. */
  static String refused(ColonyContext colony, RpcException refusal, boolean throughProxy) {
    if (refusal.code() == Status.Code.UNIMPLEMENTED) {
      return "The colony is older than this command: update the colony.";
    }
    return switch (refusal.failure()) {
      case UNAUTHENTICATED, PERMISSION_DENIED -> moreRights(colony, throughProxy);
      case LIMIT_REACHED ->
          refusal
              .retryAfter()
              .map(delay -> "Try again in " + HumanTime.twoUnits(delay) + ".")
              .orElse("");
      case STORE_UNAVAILABLE, NOT_READY -> "Try again; 'coral status' says how the colony is.";
      case INTERNAL -> "The colony's log says more.";
      default -> "";
    };
  }

  private static String moreRights(ColonyContext colony, boolean throughProxy) {
    String certificate =
        colony.own().isPresent()
            ? "Ask again as the administrator, with the CORAL_HOME that 'coral init' filled."
            : "Ask as somebody who may: have an administrator run 'coral invite --role operator',"
                + " and import the\nline with 'coral context import --force'.";
    return throughProxy
        ? certificate + "\nA certificate goes past the proxy by itself; --via public insists on it."
        : certificate;
  }
}
