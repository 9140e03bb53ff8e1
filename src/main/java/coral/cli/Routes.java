package coral.cli;

import coral.model.Addresses;
import coral.model.Endpoint;
import coral.model.InvitationText;
import coral.model.MeshAddresses;
import coral.model.MeshSubnet;
import coral.proxy.ProxyDirectory;
import coral.proxy.ProxyState;
import coral.rpc.RpcException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * The ways to a colony, the best first: a proxy that runs here, the mesh, the colony's port. What
 * is not needed is not looked for.
 */
final class Routes {
  private final ColonyContext colony;
  private final CoralHome home;
  private final RouteLog log;
  private final Duration timeout;
  private final List<Route> found = new ArrayList<>();
  private final Deque<Supplier<List<Route>>> more = new ArrayDeque<>();

  /**
   * What the user wants of the ways.
   *
   * @param via the only one to take; empty for any
   * @param endpoint the only one to connect to; empty for any
   */
  record Wish(Optional<Via> via, Optional<Endpoint> endpoint) {
    static final Wish NONE = new Wish(Optional.empty(), Optional.empty());
  }

  /**
   * Looks for nothing yet.
   *
   * @param timeout of asking discovery
   */
  Routes(ColonyContext colony, CoralHome home, Wish wish, Duration timeout, RouteLog log) {
    this.colony = colony;
    this.home = home;
    this.timeout = timeout;
    this.log = log;
    if (wish.endpoint().isPresent()) {
      Endpoint endpoint = wish.endpoint().get();
      // What a proxy may do it says itself.
      found.add(Route.direct(wish.via().orElse(Via.PUBLIC), endpoint, "--endpoint"));
      return;
    }
    if (wish.via().isEmpty() || wish.via().get() == Via.PROXY) {
      more.add(this::proxy);
    }
    if (wish.via().isEmpty() || wish.via().get() == Via.MESH) {
      more.add(this::mesh);
    }
    if (wish.via().isEmpty() || wish.via().get() == Via.PUBLIC) {
      more.add(this::known);
      more.add(this::discovered);
    }
  }

  /** The way of this rank, from 0 on; empty if there are no more. */
  Optional<Route> get(int rank) {
    while (found.size() <= rank) {
      Supplier<List<Route>> next = more.poll();
      if (next == null) {
        return Optional.empty();
      }
      for (Route route : next.get()) {
        boolean isNew =
            found.stream()
                .noneMatch(
                    other ->
                        other.endpoint().equals(route.endpoint())
                            && other.role().equals(route.role()));
        if (isNew) {
          found.add(route);
        }
      }
    }
    return Optional.of(found.get(rank));
  }

  /** Whether there may be others after the one of this rank. */
  boolean mayGoOn(int rank) {
    return found.size() > rank + 1 || !more.isEmpty();
  }

  private List<Route> proxy() {
    log.say("Checking for a proxy of " + colony.id() + " on this host...");
    Optional<ProxyState> running;
    try {
      running = ProxyDirectory.of(home.directory(), colony.id()).running();
    } catch (IOException e) {
      log.failed("proxy", String.valueOf(e.getMessage()));
      return List.of();
    }
    if (running.isEmpty()) {
      log.failed("proxy", "none is running");
      return List.of();
    }
    ProxyState proxy = running.get();
    String name = "proxy " + proxy.listen();
    if (proxy.status() != ProxyState.Status.CONNECTED || proxy.role().isEmpty()) {
      log.failed(name, proxy.status() + proxy.reason().map(why -> ": " + why).orElse(""));
      return List.of();
    }
    if (proxy.isSecure()) {
      log.failed(name, "it listens for other hosts, which show certificates or tokens");
      return List.of();
    }
    return List.of(
        Route.proxy(proxy.listen(), "process " + proxy.process().pid(), proxy.role().get()));
  }

  private List<Route> mesh() {
    if (colony.mesh().isEmpty()) {
      log.failed("mesh", "the addresses of this colony's mesh are not known here");
      return List.of();
    }
    MeshSubnet mesh = colony.mesh().get();
    log.say("Checking for an address of this host in the mesh " + mesh + "...");
    MeshAddresses addresses = mesh.colony();
    List<Route> routes = new ArrayList<>();
    try {
      for (NetworkInterface network : NetworkInterface.networkInterfaces().toList()) {
        boolean ipv4 = network.inetAddresses().anyMatch(mesh.ipv4()::contains);
        boolean ipv6 = network.inetAddresses().anyMatch(mesh.ipv6()::contains);
        if (ipv4) {
          routes.add(meshRoute(addresses.ipv4(), network));
        }
        if (ipv6) {
          routes.add(meshRoute(addresses.ipv6(), network));
        }
      }
    } catch (SocketException e) {
      log.failed("mesh", "the interfaces of this host are not known: " + e.getMessage());
      return List.of();
    }
    if (routes.isEmpty()) {
      log.failed("mesh", "no interface of this host has an address in " + mesh);
    }
    return routes;
  }

  private Route meshRoute(InetAddress address, NetworkInterface network) {
    return Route.direct(
        Via.MESH,
        new Endpoint(Addresses.text(address), colony.connectPort()),
        "interface " + network.getName());
  }

  private List<Route> known() {
    if (colony.own().isPresent()) {
      return List.of(Route.direct(Via.PUBLIC, colony.own().get(), "the colony's folder is here"));
    }
    if (colony.endpoints().isEmpty()) {
      log.failed("public port", "the context names no endpoint");
    }
    return colony.endpoints().stream()
        .map(endpoint -> Route.direct(Via.PUBLIC, endpoint, ContextRecord.FILE))
        .toList();
  }

  private List<Route> discovered() {
    if (colony.discovery().isEmpty()) {
      if (colony.own().isEmpty()) {
        log.failed("discovery", "the context does not say where it is");
      }
      return List.of();
    }
    InvitationText.Discovery where = colony.discovery().get();
    String name = "discovery " + where.url();
    log.say("Querying discovery: " + where.url() + ", mesh id " + colony.id());
    try {
      List<Endpoint> endpoints = new DiscoveryQuery(where, timeout).find(colony.id());
      if (endpoints.isEmpty()) {
        log.failed(name, "the colony announces no endpoint");
      }
      return endpoints.stream()
          .map(endpoint -> Route.direct(Via.PUBLIC, endpoint, "discovery"))
          .toList();
    } catch (RpcException e) {
      log.failed(name, String.valueOf(e.getMessage()));
      return List.of();
    }
  }
}
