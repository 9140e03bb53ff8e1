package coral.colony;

import coral.certificate.CertificateIndex;
import coral.storage.DuckDbFile;
import coral.wireguard.WireGuardDevice;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.actor.typed.Extension;
import org.apache.pekko.actor.typed.ExtensionId;
import org.apache.pekko.actor.typed.javadsl.Adapter;
import org.jspecify.annotations.Nullable;

/**
 * Whether the colony can do its work. An extension of the actor system, because Pekko management
 * makes its checks itself, by the class names in {@code colony.conf}.
 */
public final class Readiness implements Extension {
  /** Anybody may ask for {@code /ready}, and an answer must not cost a write each. */
  private static final Duration DATABASE_VERDICT = Duration.ofSeconds(1);

  /**
   * What is looked at.
   *
   * @param writable whether the database can be written, as of late
   */
  record Parts(
      DuckDbFile file,
      RecentVerdict writable,
      WireGuardDevice device,
      CertificateIndex certificates,
      Executor blocking) {
    Parts(
        DuckDbFile file,
        WireGuardDevice device,
        CertificateIndex certificates,
        Executor blocking,
        InstantSource clock) {
      this(
          file,
          new RecentVerdict(file::isWritable, DATABASE_VERDICT, clock),
          device,
          certificates,
          blocking);
    }
  }

  private static final class Id extends ExtensionId<Readiness> {
    static final Id INSTANCE = new Id();

    @Override
    public Readiness createExtension(org.apache.pekko.actor.typed.ActorSystem<?> system) {
      return new Readiness();
    }
  }

  private volatile @Nullable Parts parts;

  private Readiness() {}

  static Readiness of(org.apache.pekko.actor.typed.ActorSystem<?> system) {
    return Id.INSTANCE.apply(system);
  }

  void watch(Parts watched) {
    parts = watched;
  }

  /** All that is wrong, one sentence each. Blocks on a write to the database. */
  List<String> problems() {
    Parts watched = parts;
    if (watched == null) {
      return List.of("the colony is starting");
    }
    List<String> problems = new ArrayList<>();
    databaseProblem(watched).ifPresent(problems::add);
    deviceProblem(watched).ifPresent(problems::add);
    authorityProblem(watched).ifPresent(problems::add);
    return problems;
  }

  private static Optional<String> databaseProblem(Parts parts) {
    return parts.writable().get()
        ? Optional.empty()
        : Optional.of("the database " + parts.file().path() + " cannot be written");
  }

  private static Optional<String> deviceProblem(Parts parts) {
    return parts.device().isUp()
        ? Optional.empty()
        : Optional.of("the WireGuard device " + parts.device().name() + " is down");
  }

  private static Optional<String> authorityProblem(Parts parts) {
    return parts.certificates().isComplete()
        ? Optional.empty()
        : Optional.of("the certificate authority has not read its journal");
  }

  private CompletionStage<Boolean> check(Function<Parts, Optional<String>> problem) {
    Parts watched = parts;
    if (watched == null) {
      return CompletableFuture.failedFuture(new IllegalStateException("the colony is starting"));
    }
    return CompletableFuture.supplyAsync(
        () -> {
          problem
              .apply(watched)
              .ifPresent(
                  sentence -> {
                    throw new IllegalStateException(sentence);
                  });
          return true;
        },
        watched.blocking());
  }

  /** One check as Pekko management wants it: made with the actor system, asked again and again. */
  private abstract static class Check implements Supplier<CompletionStage<Boolean>> {
    private final Readiness readiness;
    private final Function<Parts, Optional<String>> problem;

    Check(ActorSystem system, Function<Parts, Optional<String>> problem) {
      this.readiness = of(Adapter.toTyped(system));
      this.problem = problem;
    }

    @Override
    public CompletionStage<Boolean> get() {
      return readiness.check(problem);
    }
  }

  /** The database can be written. */
  public static final class Database extends Check {
    public Database(ActorSystem system) {
      super(system, Readiness::databaseProblem);
    }
  }

  /** The WireGuard device is up. */
  public static final class Device extends Check {
    public Device(ActorSystem system) {
      super(system, Readiness::deviceProblem);
    }
  }

  /** The root is loaded and what was issued is known. */
  public static final class CertificateAuthority extends Check {
    public CertificateAuthority(ActorSystem system) {
      super(system, Readiness::authorityProblem);
    }
  }
}
