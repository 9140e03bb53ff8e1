package coral.colony;

import coral.certificate.CertificateIndex;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;

/**
 * Which numbers are those of administrators' certificates. They are made on the colony's host,
 * outside of the journal: what is known of them is what stands in the colony's directory, and what
 * was shown to the colony and was good.
 */
final class AdministratorNumbers {
  private final CertificateIndex certificates;
  private final AdministratorFiles files;
  private final Executor blocking;

  AdministratorNumbers(CertificateIndex certificates, AdministratorFiles files, Executor blocking) {
    this.certificates = certificates;
    this.files = files;
    this.blocking = blocking;
  }

  /** Whether this is such a number; fails if the colony's files cannot be read. */
  CompletionStage<Boolean> contain(String serial) {
    if (certificates.hasSeenAdministrator(serial)) {
      return CompletableFuture.completedStage(true);
    }
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            return files.serials().contains(serial);
          } catch (IOException e) {
            throw new CompletionException(e);
          }
        },
        blocking);
  }
}
