package coral.colony;

import coral.certificate.Authority;
import coral.certificate.Identity;
import coral.certificate.Intermediate;
import coral.files.SecureFiles;
import coral.model.AuditEvent;
import coral.model.AuditEvent.Kind;
import coral.model.AuditSink;
import coral.model.Fingerprint;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;
import org.apache.pekko.Done;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The certificates that a colony issues to itself: its intermediates and that of the port. They
 * follow each other without being asked for, also before the audit log is open; so what the audit
 * was told of is kept in a file, and whatever is not in there yet is recorded.
 */
final class OwnCertificates {
  private static final Logger log = LoggerFactory.getLogger(OwnCertificates.class);

  private final ColonyFiles files;
  private final Authority authority;
  private final ColonySettings settings;
  private final InstantSource clock;

  /** The fingerprints of those that are in the audit, or on their way there. */
  private final Set<String> told = new TreeSet<>();

  private OwnCertificates(
      ColonyFiles files, Authority authority, ColonySettings settings, InstantSource clock) {
    this.files = files;
    this.authority = authority;
    this.settings = settings;
    this.clock = clock;
  }

  /**
   * Loads the authority, and makes the intermediates that are due.
   *
   * @throws IOException if there is no colony, or another than the settings name, or no
   *     intermediate that could sign
   */
  static OwnCertificates load(ColonyFiles files, ColonySettings settings, InstantSource clock)
      throws IOException {
    if (!Files.isDirectory(files.directory())) {
      throw new NoSuchFileException(
          files.directory().toString(), null, "there is no colony: make one with `coral init`");
    }
    Authority authority = files.authority(settings.authority(), clock);
    if (!authority.colonyId().equals(settings.colonyId())) {
      throw new IOException(
          "the certificate authority in "
              + files.directory()
              + " is that of colony "
              + authority.colonyId()
              + ", the settings name "
              + settings.colonyId());
    }
    return new OwnCertificates(files, authority, settings, clock);
  }

  Authority authority() {
    return authority;
  }

  /** What the port shows; a new one is made when that is due. */
  Identity port() throws IOException {
    return files.serverIdentity(authority, clock);
  }

  /**
   * Renews what is due. What is on disk is shown, whether it was renewed just now or not.
   *
   * @return completes when that is recorded, see {@link #tell}; fails if it cannot be renewed
   */
  CompletionStage<Done> renew(ColonyServer server, AuditSink sink) {
    try {
      files.renew(authority, settings.authority(), clock);
      server.show(port());
      return tell(sink);
    } catch (IOException e) {
      return CompletableFuture.failedStage(e);
    }
  }

  /** The same, for a caller who does not wait for the outcome: a failure is logged. */
  void renewNow(ColonyServer server, AuditSink sink) {
    renew(server, sink)
        .whenComplete(
            (done, failure) -> {
              if (failure != null) {
                log.error("The colony's own certificates are not all renewed", failure);
              }
            });
  }

  /**
   * Has recorded what has not been: first in the audit, then in the file, so that a crash in
   * between records a certificate twice, not never. Of a colony that is started for the first time
   * nothing is: {@code init} has made what there is.
   *
   * @return fails if it could not be recorded; then the next time tries again
   */
  CompletionStage<Done> tell(AuditSink sink) throws IOException {
    Map<String, AuditEvent> present = present();
    Map<String, AuditEvent> news = new LinkedHashMap<>(present);
    synchronized (told) {
      if (told.isEmpty()) {
        told.addAll(read(present.keySet()));
      }
      news.keySet().removeAll(told);
      told.addAll(news.keySet());
    }
    CompletionStage<Done> recorded = CompletableFuture.completedStage(Done.getInstance());
    for (AuditEvent event : news.values()) {
      recorded = recorded.thenCombine(sink.recorded(event), (before, now) -> now);
    }
    return recorded.whenComplete(
        (done, failure) -> {
          synchronized (told) {
            if (failure == null) {
              write();
            } else {
              told.removeAll(news.keySet());
            }
          }
        });
  }

  private Set<String> read(Set<String> atFirst) throws IOException {
    Path file = files.recordedCertificates();
    return Files.exists(file)
        ? new String(SecureFiles.readPrivate(file), StandardCharsets.UTF_8)
            .lines()
            .collect(Collectors.toSet())
        : atFirst;
  }

  private void write() {
    try {
      SecureFiles.write(
          files.recordedCertificates(),
          (String.join("\n", told) + "\n").getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What there is, by fingerprint. */
  private Map<String, AuditEvent> present() throws IOException {
    Map<String, AuditEvent> present = new LinkedHashMap<>();
    for (Intermediate each : authority.intermediates()) {
      present.put(
          fingerprint(each.certificate()),
          AuditEvent.of(Kind.AUTHORITY_CHANGED)
              .detail("intermediate " + each.kind().label() + ", " + text(each.certificate())));
    }
    X509Certificate port = port().certificate();
    present.put(
        fingerprint(port),
        AuditEvent.of(Kind.CERTIFICATE_ISSUED).detail("for the port, " + text(port)));
    return present;
  }

  private static String text(X509Certificate certificate) {
    return "serial "
        + Protobuf.serial(certificate)
        + ", "
        + fingerprint(certificate)
        + ", until "
        + certificate.getNotAfter().toInstant();
  }

  private static String fingerprint(X509Certificate certificate) {
    try {
      return Fingerprint.of(certificate.getEncoded()).value();
    } catch (CertificateEncodingException e) {
      throw new IllegalStateException("a certificate without an encoding", e);
    }
  }
}
