package coral.colony;

import static coral.colony.Steps.await;
import static coral.colony.Steps.step;

import coral.address.IpAllocator;
import coral.certificate.CertificateAuthority;
import coral.storage.AllocationReadModel;
import coral.storage.CertificateReadModel;
import coral.storage.DuckDbFile;
import coral.storage.Projection;
import coral.storage.StoreException;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.Done;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.japi.Pair;
import org.apache.pekko.stream.UniqueKillSwitch;

/** What the journals say, in tables that people can read, as of a moment ago. */
record ColonyTables(AllocationReadModel allocations, CertificateReadModel certificates) {
  /**
   * The tables in this file, as the last run left them.
   *
   * @throws StoreException if they cannot be read
   */
  static ColonyTables in(DuckDbFile file, ColonySettings settings) throws StoreException {
    return new ColonyTables(
        new AllocationReadModel(file, settings.subnet().ipv4().toString()),
        new CertificateReadModel(file));
  }

  /**
   * Brings them up to date, and keeps them so until the colony stops.
   *
   * @throws IOException if a journal cannot be read or a table cannot be written
   */
  void follow(
      ActorSystem<?> system,
      ColonySettings settings,
      StopSteps stopping,
      Duration startTimeout,
      Duration stopTimeout)
      throws IOException {
    Projection addresses =
        new Projection(
            system,
            IpAllocator.PERSISTENCE_ID,
            Projection.into(allocations, event -> AllocationRows.of(event, settings.subnet())));
    step("tables up to date", () -> await(addresses.catchUp(), startTimeout));
    untilStopped("table", addresses, stopping, stopTimeout);
    Projection issued =
        new Projection(
            system,
            CertificateAuthority.persistenceId(settings.colonyId()),
            CertificateRows.into(certificates));
    step("certificates listed", () -> await(issued.catchUp(), startTimeout));
    untilStopped("list of certificates", issued, stopping, stopTimeout);
  }

  /**
   * What is written last, such as when agents were last seen, goes into rows that must be there.
   */
  private static void untilStopped(
      String name, Projection projection, StopSteps stopping, Duration timeout) {
    Pair<UniqueKillSwitch, CompletionStage<Done>> following = projection.follow();
    stopping.push(
        name,
        () -> {
          following.first().shutdown();
          await(following.second(), timeout);
          await(projection.catchUp(), timeout);
        });
  }
}
