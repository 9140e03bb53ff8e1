package coral.certificate;

import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Supplier;

/** What takes milliseconds of a core for a certificate, and is done beside the actor. */
final class SigningWork {
  /** A request whose signature, and whose proof of a previous key, are good. */
  record Verified(VerifiedRequest key, IssueRequest request) {}

  private final Authority authority;
  private final CertificateSettings settings;
  private final BlockedKeys blocked;
  private final SigningLanes lanes;

  SigningWork(
      Authority authority, CertificateSettings settings, BlockedKeys blocked, Executor threads) {
    this.authority = authority;
    this.settings = settings;
    this.blocked = blocked;
    this.lanes = new SigningLanes(threads);
  }

  /** Fails with a {@link coral.model.RefusedException} for what is wrong with the request. */
  CompletionStage<Verified> verify(CertificateAuthority.Issue issue, boolean byHolder) {
    return run(
        byHolder,
        () -> {
          VerifiedRequest key =
              CertificateRequests.verify(issue.csrPem(), issue.agentId(), blocked);
          return new Verified(
              key,
              new IssueRequest(
                  issue.agentId(),
                  key.keyHash(),
                  issue.payment(),
                  issue.proof().map(proof -> proof.verify(issue.csrPem())),
                  issue.origin()));
        });
  }

  CompletionStage<X509Certificate> sign(
      CertificateAuthority.Issue issue,
      Verified verified,
      CertificateRole role,
      Instant now,
      boolean byHolder) {
    CertificateProfile profile =
        CertificateProfile.client(authority.colonyId(), role, issue.agentId())
            .publishedAt(settings.published());
    return run(
        byHolder,
        () -> authority.issue(profile, verified.key().publicKey(), now, settings.agentValidity()));
  }

  private <T> CompletionStage<T> run(boolean byHolder, Supplier<T> work) {
    try {
      return CompletableFuture.supplyAsync(work, lanes.lane(byHolder));
    } catch (RejectedExecutionException e) {
      return CompletableFuture.failedStage(e);
    }
  }
}
