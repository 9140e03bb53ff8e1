package coral.rpc;

import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.Descriptors.MethodDescriptor;
import com.google.protobuf.Descriptors.ServiceDescriptor;
import coral.model.Failure;
import coral.model.Refused;
import coral.model.RefusedException;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Who may call what: one table. What it does not name nobody may call.
 *
 * <p>An rpc is named as on the wire, without the leading slash: {@code
 * coral.mesh.v1.MeshService/Register}.
 */
public final class RpcAuthorization {
  /** Hears of every call that comes here. Its methods must not block. */
  public interface Listener {
    /** The caller may call. */
    void admitted(String rpc, Caller caller);

    /** The caller may not. */
    void refused(String rpc, Caller caller, Refused why);
  }

  private static final Listener NOBODY =
      new Listener() {
        @Override
        public void admitted(String rpc, Caller caller) {
          // as its name says
        }

        @Override
        public void refused(String rpc, Caller caller, Refused why) {
          // as its name says
        }
      };

  private final Map<String, Set<Role>> table;
  private final Listener listener;

  private RpcAuthorization(Map<String, Set<Role>> table, Listener listener) {
    this.table = table;
    this.listener = listener;
  }

  /**
   * A table of who may call what.
   *
   * @param table the roles that may call each rpc; {@link Role#ANYONE} stands for callers without a
   *     certificate alone
   */
  public static RpcAuthorization of(Map<String, Set<Role>> table) {
    return new RpcAuthorization(
        table.entrySet().stream()
            .collect(
                Collectors.toUnmodifiableMap(Map.Entry::getKey, e -> Set.copyOf(e.getValue()))),
        NOBODY);
  }

  /** The same table, of whose decisions somebody hears. */
  public RpcAuthorization telling(Listener hears) {
    return new RpcAuthorization(table, hears);
  }

  /**
   * Lets the call pass or refuses it. Who speaks for a caller must be allowed too.
   *
   * @throws RefusedException UNAUTHENTICATED if a certificate is needed and none was shown,
   *     PERMISSION_DENIED if the caller is known and may not, or the table does not name the rpc
   */
  public void require(String rpc, Caller caller) {
    Set<Role> allowed = table.getOrDefault(rpc, Set.of());
    boolean speakerMay =
        caller.speaker().map(speaker -> allowed.contains(speaker.role())).orElse(true);
    if (allowed.contains(caller.role()) && speakerMay) {
      listener.admitted(rpc, caller);
      return;
    }
    Refused why = refusal(rpc, caller, allowed);
    listener.refused(rpc, caller, why);
    throw why.toException();
  }

  private static Refused refusal(String rpc, Caller caller, Set<Role> allowed) {
    if (allowed.isEmpty()) {
      return new Refused(Failure.PERMISSION_DENIED, "nobody may call " + rpc);
    }
    if (caller.role() == Role.ANYONE) {
      return new Refused(
          Failure.UNAUTHENTICATED, rpc + " needs a client certificate of this colony");
    }
    return new Refused(
        Failure.PERMISSION_DENIED,
        caller.speaker().isPresent()
            ? caller.actor() + " may not call " + rpc
            : "this client certificate does not allow " + rpc);
  }

  /** Who may call an rpc; nobody may one that the table does not name. */
  public Set<Role> allowed(String rpc) {
    return table.getOrDefault(rpc, Set.of());
  }

  /** The rpcs that the descriptors define and the table does not name: for a test of the table. */
  public Set<String> missing(FileDescriptor... files) {
    Set<String> missing = new TreeSet<>(rpcs(files));
    missing.removeAll(table.keySet());
    return missing;
  }

  /** The rpcs that the table names and the descriptors do not define: for a test of the table. */
  public Set<String> unknown(FileDescriptor... files) {
    Set<String> unknown = new TreeSet<>(table.keySet());
    unknown.removeAll(rpcs(files));
    return unknown;
  }

  private static Set<String> rpcs(FileDescriptor... files) {
    Set<String> rpcs = new TreeSet<>();
    for (FileDescriptor file : files) {
      for (ServiceDescriptor service : file.getServices()) {
        for (MethodDescriptor method : service.getMethods()) {
          rpcs.add(service.getFullName() + "/" + method.getName());
        }
      }
    }
    return rpcs;
  }
}
