package coral.cli;

import coral.api.colony.v1.GetStatusResponse;
import coral.api.discovery.v1.HealthResponse;
import coral.model.ColonyId;
import coral.model.InvitationText;
import coral.proxy.ProxyDirectory;
import coral.proxy.ProxyState;
import coral.rpc.Role;
import coral.rpc.RpcException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/**
 * All discovery services, colonies and proxies that are known here, asked at once.
 *
 * @param proxies those that run
 */
record StatusOverview(
    List<DiscoveryState> discoveries, List<ColonyState> colonies, List<ProxyState> proxies) {
  /** Who looks at everything does not wait for what is away. */
  static final Duration BOUND = Duration.ofSeconds(2);

  /** People know fewer colonies; more of them wait for each other. */
  private static final int MAX_THREADS = 64;

  private static final String LATE = "no answer within " + BOUND.toSeconds() + " s";

  /**
   * A discovery service.
   *
   * @param health empty if it did not answer
   * @param reason why not
   */
  record DiscoveryState(String url, Optional<HealthResponse> health, String reason) {}

  /**
   * A colony.
   *
   * @param route by which it answered
   * @param status empty if it did not answer
   * @param reason why not
   * @param tried what was tried in vain
   */
  record ColonyState(
      ColonyId id,
      Optional<Route> route,
      Optional<GetStatusResponse> status,
      String reason,
      List<String> tried) {
    ColonyState {
      tried = List.copyOf(tried);
    }
  }

  StatusOverview {
    discoveries = List.copyOf(discoveries);
    colonies = List.copyOf(colonies);
    proxies = List.copyOf(proxies);
  }

  /** Asks, and waits for {@link #BOUND} at most. */
  static StatusOverview ask(CoralCommand root, Routes.Wish wish) {
    CoralHome home = root.home();
    List<ColonyId> ids = home.colonies();
    Set<InvitationText.Discovery> services = new LinkedHashSet<>();
    for (ColonyId id : ids) {
      discoveryOf(root, home, id).ifPresent(services::add);
    }
    List<Callable<Object>> questions = new ArrayList<>();
    services.forEach(service -> questions.add(() -> discovery(service)));
    ids.forEach(id -> questions.add(() -> colony(root, home, id, wish)));
    List<Object> answers = new ArrayList<>();
    List<Object> late = new ArrayList<>();
    services.forEach(
        service -> late.add(new DiscoveryState(service.url(), Optional.empty(), LATE)));
    ids.forEach(
        id -> late.add(new ColonyState(id, Optional.empty(), Optional.empty(), LATE, List.of())));
    answers.addAll(atOnce(questions, late));
    return new StatusOverview(
        only(answers, DiscoveryState.class), only(answers, ColonyState.class), proxies(home));
  }

  private static Optional<InvitationText.Discovery> discoveryOf(
      CoralCommand root, CoralHome home, ColonyId id) {
    try {
      return ColonyContext.load(home, id, root.environment()).discovery();
    } catch (CommandFailedException e) {
      return Optional.empty(); // the colony's own line says so
    }
  }

  private static <T> List<T> only(List<Object> answers, Class<T> type) {
    return answers.stream().filter(type::isInstance).map(type::cast).toList();
  }

  /** The answers in the order of the questions, with those that come late replaced. */
  private static List<Object> atOnce(List<Callable<Object>> questions, List<Object> late) {
    int threads = Math.min(MAX_THREADS, Math.max(1, questions.size()));
    int rounds = 1 + (questions.size() - 1) / threads;
    ExecutorService pool =
        Executors.newFixedThreadPool(
            threads,
            task -> {
              Thread thread = new Thread(task, "status");
              thread.setDaemon(true); // what is late does not keep the command
              return thread;
            });
    try {
      List<Future<Object>> asked =
          pool.invokeAll(questions, BOUND.toMillis() * rounds, TimeUnit.MILLISECONDS);
      List<Object> answers = new ArrayList<>();
      for (int i = 0; i < asked.size(); i++) {
        answers.add(answer(asked.get(i), late.get(i)));
      }
      return answers;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    } finally {
      pool.shutdownNow();
    }
  }

  private static Object answer(Future<Object> asked, Object late) throws InterruptedException {
    try {
      return asked.get();
    } catch (CancellationException e) {
      return late;
    } catch (ExecutionException e) {
      throw new IllegalStateException(e.getCause());
    }
  }

  private static DiscoveryState discovery(InvitationText.Discovery service) {
    try {
      HealthResponse health = new DiscoveryQuery(service, BOUND).health();
      return new DiscoveryState(service.url(), Optional.of(health), "");
    } catch (RpcException e) {
      return new DiscoveryState(service.url(), Optional.empty(), String.valueOf(e.getMessage()));
    }
  }

  private static ColonyState colony(
      CoralCommand root, CoralHome home, ColonyId id, Routes.Wish wish) {
    RouteLog log = RouteLog.silent();
    try {
      ColonyContext context = ColonyContext.load(home, id, root.environment());
      ColonyClient client =
          ColonyClient.of(context, new Routes(context, home, wish, BOUND, log), BOUND, log);
      GetStatusResponse status = client.status();
      return new ColonyState(id, client.route(), Optional.of(status), "", log.failures());
    } catch (CommandFailedException e) {
      return new ColonyState(
          id, Optional.empty(), Optional.empty(), reason(e, log), log.failures());
    }
  }

  /** In one line: the last way that was tried, if there were several. */
  private static String reason(CommandFailedException e, RouteLog log) {
    String message = String.valueOf(e.getMessage());
    List<String> failures = log.failures();
    return message.contains("\n") && !failures.isEmpty()
        ? failures.get(failures.size() - 1)
        : message;
  }

  private static List<ProxyState> proxies(CoralHome home) {
    List<ProxyState> running = new ArrayList<>();
    try {
      for (ProxyDirectory directory : ProxyDirectory.list(home.directory())) {
        directory.running().ifPresent(running::add);
      }
    } catch (IOException e) {
      throw new CommandFailedException(
          "the proxies of this host are not known: " + e.getMessage(),
          "'coral proxy list' says more.",
          e);
    }
    return running;
  }

  /** Whether all that were asked answered. */
  boolean isComplete() {
    return discoveries.stream().allMatch(one -> one.health().isPresent())
        && colonies.stream().allMatch(one -> one.status().isPresent());
  }

  String json() {
    return Json.object(
        json ->
            json.putObjects("discoveries", discoveries, StatusOverview::put)
                .putObjects("colonies", colonies, StatusOverview::put)
                .putObjects("proxies", proxies, StatusOverview::put));
  }

  private static void put(Json json, DiscoveryState discovery) {
    Optional<HealthResponse> health = discovery.health();
    json.put("url", discovery.url())
        .put("online", health.isPresent())
        .put("reason", Times.present(discovery.reason()))
        .put("version", health.map(HealthResponse::getVersion));
    number(json, "uptimeSeconds", health, HealthResponse::getUptimeSeconds);
    number(json, "registeredColonies", health, one -> (long) one.getRegisteredColonies());
  }

  private static <T> void number(
      Json json, String name, Optional<T> known, Function<T, Long> value) {
    if (known.isPresent()) {
      json.put(name, (long) value.apply(known.get()));
    } else {
      json.putNull(name);
    }
  }

  private static void put(Json json, ColonyState colony) {
    json.put("colonyId", colony.id().value())
        .put("online", colony.status().isPresent())
        .put("via", colony.route().map(Route::via))
        .put("endpoint", colony.route().map(Route::endpoint))
        .put("reason", Times.present(colony.reason()))
        .putStrings("tried", colony.tried());
    if (colony.status().isPresent()) {
      json.putObject("status", one -> StatusAnswer.put(one, colony.status().get()));
    } else {
      json.putNull("status");
    }
  }

  private static void put(Json json, ProxyState proxy) {
    json.put("colonyId", proxy.colonyId().value())
        .put("proxyId", proxy.proxyId().value())
        .put("listen", proxy.listen().toString())
        .put("pid", proxy.process().pid())
        .put("status", proxy.status().toString())
        .put("reason", proxy.reason())
        .put("way", proxy.way().map(way -> way.name().toLowerCase(java.util.Locale.ROOT)))
        .put("role", proxy.role().map(Role::wireName))
        .put("meshIpv4", proxy.mesh().map(ProxyState.Mesh::ipv4))
        .put("meshIpv6", proxy.mesh().map(ProxyState.Mesh::ipv6))
        .put("since", proxy.since())
        .put("startedAt", proxy.startedAt());
  }
}
