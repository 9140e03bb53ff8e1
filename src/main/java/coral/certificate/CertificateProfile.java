package coral.certificate;

import coral.model.AgentId;
import coral.model.ColonyId;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;

/**
 * What one kind of certificate says. The subject and the names are Coral's own words, never copied
 * from a request.
 */
public final class CertificateProfile {
  /** What the holder may do (RFC 5280, section 4.2.1.12). */
  enum Purpose {
    CLIENT(KeyPurposeId.id_kp_clientAuth, Intermediate.Kind.CLIENT),
    SERVER(KeyPurposeId.id_kp_serverAuth, Intermediate.Kind.SERVER);

    @SuppressWarnings("ImmutableEnumChecker") // an object identifier is immutable
    private final KeyPurposeId id;

    private final Intermediate.Kind issuer;

    Purpose(KeyPurposeId id, Intermediate.Kind issuer) {
      this.id = id;
      this.issuer = issuer;
    }

    ExtendedKeyUsage usage() {
      return new ExtendedKeyUsage(id);
    }

    /** As a certificate lists it. */
    List<String> oids() {
      return List.of(id.getId());
    }

    /** Which of the intermediates signs for it. */
    Intermediate.Kind issuer() {
      return issuer;
    }
  }

  private final ColonyId colonyId;
  private final String commonName;
  private final URI uri;
  private final List<String> dnsNames;
  private final Purpose purpose;
  private final Optional<RevocationUrls> published;

  private CertificateProfile(
      ColonyId colonyId, String commonName, URI uri, List<String> dnsNames, Purpose purpose) {
    this(colonyId, commonName, uri, dnsNames, purpose, Optional.empty());
  }

  private CertificateProfile(
      ColonyId colonyId,
      String commonName,
      URI uri,
      List<String> dnsNames,
      Purpose purpose,
      Optional<RevocationUrls> published) {
    this.colonyId = colonyId;
    this.commonName = commonName;
    this.uri = uri;
    this.dnsNames = List.copyOf(dnsNames);
    this.purpose = purpose;
    this.published = published;
  }

  /**
   * The same, saying where its end is published: only for certificates that the journal knows, of
   * which alone the colony can answer that they are good.
   */
  CertificateProfile publishedAt(Optional<RevocationUrls> urls) {
    return new CertificateProfile(colonyId, commonName, uri, dnsNames, purpose, urls);
  }

  /**
   * A client of the colony, as a TLS client: CN = id, O = colony id, {@code
   * spiffe://<colony-id>/<role>/<id>}. Every role has the same name space.
   */
  public static CertificateProfile client(ColonyId colonyId, CertificateRole role, AgentId id) {
    return new CertificateProfile(
        colonyId,
        id.value(),
        URI.create("spiffe://" + colonyId + "/" + role.wireName() + "/" + id),
        List.of(),
        Purpose.CLIENT);
  }

  /** {@link #client} in the role of an agent. */
  public static CertificateProfile agent(ColonyId colonyId, AgentId agentId) {
    return client(colonyId, CertificateRole.AGENT, agentId);
  }

  /**
   * {@link #client} in the role of an administrator.
   *
   * @param name has the syntax of an agent id
   * @throws IllegalArgumentException if it has not
   */
  public static CertificateProfile administrator(ColonyId colonyId, String name) {
    return client(colonyId, CertificateRole.ADMIN, new AgentId(name));
  }

  /**
   * The colony, as a TLS server: CN = colony id, O = colony id, {@code spiffe://<colony-id>/colony}
   * and the DNS name localhost.
   */
  public static CertificateProfile server(ColonyId colonyId) {
    return new CertificateProfile(
        colonyId,
        colonyId.value(),
        URI.create("spiffe://" + colonyId + "/colony"),
        List.of("localhost"),
        Purpose.SERVER);
  }

  /**
   * A node of the colony's cluster, where others connect to it: CN = colony id, O = colony id,
   * {@code spiffe://<colony-id>/node}. It opens no other door: the gRPC port takes clients of the
   * colony only, and agents talk to {@code /colony} only. With the DNS name localhost: without any
   * the common name would be taken for one, which its issuer may not sign.
   */
  public static CertificateProfile nodeAsServer(ColonyId colonyId) {
    return node(colonyId, List.of("localhost"), Purpose.SERVER);
  }

  /**
   * A node where it connects to others; apart from {@link #nodeAsServer}, so that no authority has
   * to sign for both purposes.
   */
  public static CertificateProfile nodeAsClient(ColonyId colonyId) {
    return node(colonyId, List.of(), Purpose.CLIENT);
  }

  private static CertificateProfile node(
      ColonyId colonyId, List<String> dnsNames, Purpose purpose) {
    return new CertificateProfile(
        colonyId,
        colonyId.value(),
        URI.create("spiffe://" + colonyId + "/node"),
        dnsNames,
        purpose);
  }

  /** The colony of the certificate: its O. */
  public ColonyId colonyId() {
    return colonyId;
  }

  /** The only CN. */
  public String commonName() {
    return commonName;
  }

  /** The only URI among the subject's alternative names: what calls are authorised by. */
  public URI uri() {
    return uri;
  }

  /** The subject in the form of RFC 4514; no character of an id needs escaping there. */
  String subject() {
    return "CN=" + commonName + ",O=" + colonyId;
  }

  GeneralNames alternativeNames() {
    List<GeneralName> names = new ArrayList<>();
    names.add(new GeneralName(GeneralName.uniformResourceIdentifier, uri.toString()));
    for (String name : dnsNames) {
      names.add(new GeneralName(GeneralName.dNSName, name));
    }
    return new GeneralNames(names.toArray(new GeneralName[0]));
  }

  List<String> dnsNames() {
    return dnsNames;
  }

  Optional<RevocationUrls> published() {
    return published;
  }

  Purpose purpose() {
    return purpose;
  }

  @Override
  public String toString() {
    return uri.toString();
  }
}
