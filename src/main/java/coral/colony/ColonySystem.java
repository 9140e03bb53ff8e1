package coral.colony;

import static coral.colony.Steps.await;

import coral.certificate.Authority;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.InstantSource;
import org.apache.pekko.actor.BootstrapSetup;
import org.apache.pekko.actor.setup.ActorSystemSetup;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.http.javadsl.model.Uri;
import org.apache.pekko.management.javadsl.PekkoManagement;

/** The actor system of a colony, which is a cluster of one, and its management port. */
final class ColonySystem {
  private static final Duration STOP_TIMEOUT = Duration.ofSeconds(15);

  private ColonySystem() {}

  /**
   * Starts it, and waits until the cluster is formed.
   *
   * @param bootstrap with the whole configuration
   * @param authority issues the certificate by which nodes know each other
   */
  static ActorSystem<Void> start(
      BootstrapSetup bootstrap,
      Authority authority,
      InstantSource clock,
      StopSteps stopping,
      Duration timeout)
      throws IOException {
    ActorSystem<Void> system =
        ActorSystem.create(
            Behaviors.empty(),
            "coral-colony",
            ActorSystemSetup.create(bootstrap, NodeTransport.setup(authority, clock)));
    stopping.push(
        "actor system",
        () -> {
          system.terminate();
          await(system.getWhenTerminated(), STOP_TIMEOUT);
        });
    ColonyActors.formCluster(system, timeout);
    return system;
  }

  /** Opens the port of {@code /alive}, {@code /ready} and {@code /metrics}. */
  static InetSocketAddress manage(ActorSystem<?> system, Duration timeout) throws IOException {
    Uri uri = await(PekkoManagement.get(system).start(), timeout);
    return new InetSocketAddress(uri.getHost().address(), uri.getPort());
  }
}
