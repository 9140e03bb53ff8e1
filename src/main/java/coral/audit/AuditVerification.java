package coral.audit;

import static java.nio.charset.StandardCharsets.UTF_8;

import coral.model.ColonyId;
import java.io.ByteArrayInputStream;
import java.security.GeneralSecurityException;
import java.security.cert.CertPathBuilder;
import java.security.cert.CertStore;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.CollectionCertStoreParameters;
import java.security.cert.PKIXBuilderParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509CertSelector;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.Date;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Finds out whether a log is what was recorded, by nothing but what the colony's root vouches for.
 * Takes all roots in their order, then all records in theirs, then is asked for the {@link #end}.
 *
 * <p>What was changed, removed, inserted or moved breaks the chain of hashes; who computes all
 * hashes anew cannot sign the roots, and who cuts off the end cuts off what was signed. Only
 * records that are so new that no root covers them can be changed by whoever computes the hashes
 * after them anew.
 */
public final class AuditVerification {
  /** {@code uniformResourceIdentifier} among alternative names (RFC 5280, section 4.2.1.6). */
  private static final Integer URI_NAME = 6;

  /**
   * Where the log is not what was recorded.
   *
   * @param sequence the first record that is not, or that cannot be vouched for
   */
  public record Broken(long sequence, String why) {}

  private record Signed(long first, long last, String hash, Instant at) {}

  private final ColonyId colony;
  private final Set<TrustAnchor> anchors;
  private final Set<X509Certificate> anchorCertificates;
  private final Deque<Signed> roots = new ArrayDeque<>();
  private long covered;
  private AuditChain chain = AuditChain.EMPTY;
  private MerkleTree tree = new MerkleTree();
  private Optional<Instant> signedAt = Optional.empty();

  /**
   * A verification of one log.
   *
   * @param anchors the roots that the colony is known by
   */
  public AuditVerification(ColonyId colony, Collection<X509Certificate> anchors) {
    this.colony = colony;
    this.anchorCertificates = Set.copyOf(anchors);
    this.anchors =
        anchorCertificates.stream()
            .map(certificate -> new TrustAnchor(certificate, null))
            .collect(Collectors.toSet());
  }

  /** Takes the next root; empty if it is in order. */
  public Optional<Broken> add(AuditRoot root) {
    if (root.firstSequence() != covered + 1 || root.lastSequence() < root.firstSequence()) {
      return Optional.of(
          new Broken(
              covered + 1,
              "the roots do not follow each other: one ends at "
                  + covered
                  + ", the next is over "
                  + root.firstSequence()
                  + " to "
                  + root.lastSequence()));
    }
    Optional<String> problem = signatureProblem(root);
    if (problem.isPresent()) {
      return Optional.of(
          new Broken(
              root.firstSequence(),
              "the root over "
                  + covers(root.firstSequence(), root.lastSequence())
                  + " "
                  + problem.get()));
    }
    covered = root.lastSequence();
    roots.add(new Signed(root.firstSequence(), covered, root.hash(), root.signedAt()));
    signedAt = Optional.of(root.signedAt());
    return Optional.empty();
  }

  private Optional<String> signatureProblem(AuditRoot root) {
    List<X509Certificate> signers;
    byte[] signature;
    try {
      signers = certificates(root.certificates());
      signature = Base64.getDecoder().decode(root.signature());
    } catch (CertificateException | IllegalArgumentException e) {
      return Optional.of("has no signature that can be read");
    }
    if (signers.isEmpty() || !speaksForTheColony(signers.get(0))) {
      return Optional.of("is not signed by the colony");
    }
    if (!leadsToAnAnchor(signers, root.signedAt())) {
      return Optional.of("is signed by somebody whom the colony's root does not vouch for");
    }
    return AuditSigner.verifies(signers.get(0).getPublicKey(), root.text(colony), signature)
        ? Optional.empty()
        : Optional.of("has another signature than its own");
  }

  /** Agents have certificates of the same authority, and do not sign roots. */
  private boolean speaksForTheColony(X509Certificate signer) {
    if (signer.getBasicConstraints() >= 0) {
      return true;
    }
    try {
      Collection<List<?>> names = signer.getSubjectAlternativeNames();
      return names != null && names.contains(List.of(URI_NAME, "spiffe://" + colony + "/colony"));
    } catch (CertificateException e) {
      return false;
    }
  }

  private boolean leadsToAnAnchor(List<X509Certificate> signers, Instant at) {
    if (anchorCertificates.contains(signers.get(0))) {
      return true;
    }
    try {
      X509CertSelector signer = new X509CertSelector();
      signer.setCertificate(signers.get(0));
      PKIXBuilderParameters parameters = new PKIXBuilderParameters(anchors, signer);
      parameters.setRevocationEnabled(false); // there is no list of the time of signing
      parameters.setDate(Date.from(at));
      parameters.addCertStore(
          CertStore.getInstance("Collection", new CollectionCertStoreParameters(signers)));
      CertPathBuilder.getInstance("PKIX").build(parameters);
      return true;
    } catch (GeneralSecurityException e) {
      return false;
    }
  }

  private static List<X509Certificate> certificates(String pem) throws CertificateException {
    List<X509Certificate> certificates = new ArrayList<>();
    for (var certificate :
        CertificateFactory.getInstance("X.509")
            .generateCertificates(new ByteArrayInputStream(pem.getBytes(UTF_8)))) {
      certificates.add((X509Certificate) certificate);
    }
    return certificates;
  }

  /** Takes the next record; empty if it is in order. */
  public Optional<Broken> add(AuditRecord record) {
    Optional<String> problem = chain.problem(record);
    if (problem.isPresent()) {
      return Optional.of(new Broken(chain.length() + 1, problem.get()));
    }
    chain = chain.with(record);
    Signed root = roots.peek();
    if (root == null) {
      return Optional.empty();
    }
    tree.addHash(record.hash());
    if (chain.length() < root.last()) {
      return Optional.empty();
    }
    String hash = tree.root();
    tree = new MerkleTree();
    roots.remove();
    return hash.equals(root.hash())
        ? Optional.empty()
        : Optional.of(
            new Broken(
                root.first(),
                covers(root.first(), root.last())
                    + " follow each other and are not what was signed at "
                    + root.at()
                    + ": one of them was changed and the hashes were computed anew"));
  }

  /** Says that there is no other record; empty if that can be. */
  public Optional<Broken> end() {
    return covered <= chain.length()
        ? Optional.empty()
        : Optional.of(
            new Broken(
                chain.length() + 1,
                covers(chain.length() + 1, covered)
                    + (chain.length() + 1 == covered
                        ? " was signed and is missing"
                        : " were signed and are missing")));
  }

  /** How far the records have been verified. */
  public AuditChain chain() {
    return chain;
  }

  /** The last record that a root covers; 0 if none. */
  public long covered() {
    return covered;
  }

  /** When the last root was signed; empty if there is none. */
  public Optional<Instant> signedAt() {
    return signedAt;
  }

  private static String covers(long first, long last) {
    return first == last ? "record " + first : "the records " + first + " to " + last;
  }
}
