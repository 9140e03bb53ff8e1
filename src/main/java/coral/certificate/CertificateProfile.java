package coral.certificate;

import coral.model.AgentId;
import coral.model.ColonyId;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
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
    CLIENT(KeyPurposeId.id_kp_clientAuth),
    SERVER(KeyPurposeId.id_kp_serverAuth),
    /** Nodes of a cluster connect to each other in both directions. */
    PEER(KeyPurposeId.id_kp_serverAuth, KeyPurposeId.id_kp_clientAuth);

    @SuppressWarnings("ImmutableEnumChecker") // a list that is never changed, of identifiers
    private final List<KeyPurposeId> ids;

    Purpose(KeyPurposeId... ids) {
      this.ids = List.of(ids);
    }

    ExtendedKeyUsage usage() {
      return new ExtendedKeyUsage(ids.toArray(new KeyPurposeId[0]));
    }

    /** As a certificate lists it. */
    List<String> oids() {
      return ids.stream().map(KeyPurposeId::getId).toList();
    }
  }

  private final ColonyId colonyId;
  private final String commonName;
  private final URI uri;
  private final List<String> dnsNames;
  private final Purpose purpose;

  private CertificateProfile(
      ColonyId colonyId, String commonName, URI uri, List<String> dnsNames, Purpose purpose) {
    this.colonyId = colonyId;
    this.commonName = commonName;
    this.uri = uri;
    this.dnsNames = List.copyOf(dnsNames);
    this.purpose = purpose;
  }

  /**
   * An agent, as a TLS client: CN = agent id, O = colony id, {@code
   * spiffe://<colony-id>/agent/<agent-id>}.
   */
  public static CertificateProfile agent(ColonyId colonyId, AgentId agentId) {
    return new CertificateProfile(
        colonyId,
        agentId.value(),
        URI.create("spiffe://" + colonyId + "/agent/" + agentId),
        List.of(),
        Purpose.CLIENT);
  }

  /**
   * An administrator, as a TLS client: CN = name, O = colony id, {@code
   * spiffe://<colony-id>/admin/<name>}.
   *
   * @param name has the syntax of an agent id
   * @throws IllegalArgumentException if it has not
   */
  public static CertificateProfile administrator(ColonyId colonyId, String name) {
    String checked = new AgentId(name).value();
    return new CertificateProfile(
        colonyId,
        checked,
        URI.create("spiffe://" + colonyId + "/admin/" + checked),
        List.of(),
        Purpose.CLIENT);
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
   * A node of the colony's cluster, as a peer of the others: CN = colony id, O = colony id, {@code
   * spiffe://<colony-id>/node}. It opens no other door: the gRPC port takes agents and
   * administrators only, and agents talk to {@code /colony} only.
   */
  public static CertificateProfile node(ColonyId colonyId) {
    return new CertificateProfile(
        colonyId,
        colonyId.value(),
        URI.create("spiffe://" + colonyId + "/node"),
        List.of(),
        Purpose.PEER);
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

  Purpose purpose() {
    return purpose;
  }

  @Override
  public String toString() {
    return uri.toString();
  }
}
