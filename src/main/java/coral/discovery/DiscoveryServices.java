package coral.discovery;

import coral.model.AuditSink;
import coral.token.SigningKeys;
import coral.token.TokenIssuer;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/** What the port serves, as the guardian has wired it: the directory itself is the guardian. */
record DiscoveryServices(
    DirectoryQueries directory,
    RegistrationTokens tokens,
    SecretRotation rotation,
    DiscoveryLimits limits) {
  private static final String HASHING = "coral.discovery.hashing-dispatcher";
  private static final String SIGNING = "coral.discovery.signing-dispatcher";
  private static final String STORAGE = "coral.discovery.storage-dispatcher";

  /** How many Argon2id computations run at once, beside those that wait. */
  private static final int CORES = Runtime.getRuntime().availableProcessors();

  /**
   * Wires everything.
   *
   * @param directory with what the store holds
   * @param keys as they are stored
   * @param ready is completed with what the port serves
   */
  static Behavior<Directory.Command> guardian(
      DiscoverySettings settings,
      InstantSource clock,
      ColonyDirectory directory,
      Directory.Writer writer,
      SigningKeys keys,
      TokenIssuer.Store keyStore,
      CompletableFuture<DiscoveryServices> ready) {
    return Behaviors.setup(
        context -> {
          AuditSink audit = new AuditLines(clock);
          DiscoveryLimits limits = new DiscoveryLimits(settings.limits(), clock);
          SecretCheck secrets =
              new SecretCheck(
                  clock, limits, executor(context, HASHING), settings.maxWaitingHashes() + CORES);
          Executor storage = executor(context, STORAGE);
          ActorRef<TokenIssuer.Command> issuer =
              context.spawn(
                  TokenIssuer.create(
                      keys,
                      settings.tokens(),
                      keyStore,
                      clock,
                      new SecureRandom(),
                      executor(context, SIGNING),
                      storage),
                  "token-issuer");
          DirectoryQueries queries = new DirectoryQueries(context.getSystem(), context.getSelf());
          RegistrationTokens tokens =
              new RegistrationTokens(
                  context.getSystem(),
                  issuer,
                  queries,
                  secrets,
                  limits,
                  audit,
                  clock,
                  settings.tokens().cacheTime());
          SecretRotation rotation = new SecretRotation(queries, secrets, limits, audit, clock);
          ready.complete(new DiscoveryServices(queries, tokens, rotation, limits));
          return Directory.create(directory, writer, clock, secrets, limits, storage);
        });
  }

  private static Executor executor(ActorContext<?> context, String dispatcher) {
    return context.getSystem().dispatchers().lookup(DispatcherSelector.fromConfig(dispatcher));
  }
}
