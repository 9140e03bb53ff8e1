package coral.colony;

import coral.certificate.CertificateAuthority;
import coral.certificate.CertificateIndex;
import coral.certificate.CertificateRole;
import coral.certificate.Origin;
import coral.certificate.SerialNumbers;
import coral.model.AuditEvent;
import coral.model.AuditSink;
import coral.model.ColonyId;
import coral.rpc.CallerIdentity;
import java.io.IOException;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ends the administrator's former certificates when the one of {@code coral admin renew} is first
 * used, as the former one of an agent ends, and records that it was renewed. The journal does not
 * know the administrator's certificates, so their numbers become revoked ones. Thread-safe.
 */
final class AdministratorRenewal {
  private static final Logger log = LoggerFactory.getLogger(AdministratorRenewal.class);

  private static final CompletionStage<Void> DONE = CompletableFuture.completedFuture(null);

  /** Administrators' certificates are few; more are looked up again. */
  private static final int MAX_SEEN = 64;

  private final String name;
  private final AdministratorFiles files;
  private final CertificateIndex certificates;
  private final AuthorityClient authority;
  private final AuditSink sink;
  private final Executor blocking;
  private final Set<String> seen = ConcurrentHashMap.newKeySet();

  AdministratorRenewal(
      ColonyId colonyId,
      AdministratorFiles files,
      CertificateIndex certificates,
      AuthorityClient authority,
      AuditSink sink,
      Executor blocking) {
    this.name =
        "spiffe://"
            + colonyId
            + "/"
            + CertificateRole.ADMIN.wireName()
            + "/"
            + AdministratorFiles.NAME;
    this.files = files;
    this.certificates = certificates;
    this.authority = authority;
    this.sink = sink;
    this.blocking = blocking;
  }

  /** A client that holds the key of this certificate, which is good, makes a call. */
  void used(X509Certificate certificate) {
    String serial = SerialNumbers.hex(certificate.getSerialNumber());
    if (seen.contains(serial) || !CallerIdentity.uris(certificate).equals(List.of(name))) {
      return;
    }
    if (seen.size() >= MAX_SEEN) {
      seen.clear();
    }
    if (!seen.add(serial)) {
      return;
    }
    CompletionStage<Void> ended =
        CompletableFuture.supplyAsync(this::renewal, blocking)
            .thenCompose(
                found ->
                    found.filter(last -> last.serial().equals(serial)).map(this::end).orElse(DONE));
    ended.whenComplete(
        (done, failure) -> {
          if (failure != null) {
            seen.remove(serial); // the next call tries again
            log.error("The administrator's former certificates are good still", failure);
          }
        });
  }

  private Optional<AdministratorFiles.Renewal> renewal() {
    try {
      return files.renewal();
    } catch (IOException e) {
      throw new CompletionException(e);
    }
  }

  private CompletionStage<Void> end(AdministratorFiles.Renewal renewal) {
    List<String> good =
        renewal.former().stream()
            .map(AdministratorFiles.Former::serial)
            .filter(former -> !certificates.isRevoked(former))
            .toList();
    if (good.isEmpty()) {
      return DONE;
    }
    String actor = CertificateRole.ADMIN.wireName() + "/" + AdministratorFiles.NAME;
    AuditEvent renewed =
        AuditEvent.of(AuditEvent.Kind.CERTIFICATE_RENEWED)
            .by(actor)
            .detail(
                "serial "
                    + renewal.serial()
                    + ", made on the colony's host at "
                    + renewal.at()
                    + ", is used instead of "
                    + String.join(", ", good));
    CompletionStage<Void> ended = sink.recorded(renewed).thenApply(recorded -> null);
    for (String former : good) {
      ended =
          ended
              .thenCompose(
                  before ->
                      authority.ask(
                          CertificateAuthority.Revoked.class,
                          replyTo ->
                              new CertificateAuthority.RevokeSerial(
                                  former,
                                  true,
                                  "superseded by " + renewal.serial(),
                                  new Origin(actor, "", ""),
                                  replyTo)))
              .thenAccept(revoked -> log.info("The administrator's certificate {} ended", former));
    }
    return ended;
  }
}
