package coral.certificate;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.certificate.RevocationSource.Reason;
import coral.files.Pem;
import coral.model.AgentId;
import coral.testing.Openssl;
import java.io.ByteArrayInputStream;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.CertificateFactory;
import java.security.cert.X509CRL;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.ASN1OctetString;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** RFC 5280, section 5, and case L7: what third parties are told of revoked certificates. */
class RevocationListsTest {
  @TempDir Path directory;

  private final RecordedRevocations source = new RecordedRevocations();
  private Instant now = Roots.NOW;
  private final RevocationLists lists = new RevocationLists(Roots.QUICK, source, () -> now);

  @Test
  void aListNamesWhatItsIssuerSignedAndWasRevoked() throws Exception {
    X509Certificate good = agent(Roots.QUICK, "good");
    X509Certificate stolen = agent(Roots.QUICK, "stolen");
    X509Certificate left = agent(Roots.QUICK, "left");
    X509Certificate server = server(Roots.QUICK);
    source.issued(good);
    source.revoked(stolen, now.plusMillis(500), Reason.KEY_COMPROMISE);
    source.revoked(left, now, Reason.UNSPECIFIED);
    source.revoked(server, now, Reason.SUPERSEDED);
    X509Certificate issuer = Roots.QUICK.chain(good).get(1);
    RevocationList list = lists.of(issuer).orElseThrow();
    X509CRL read = read(list);
    read.verify(issuer.getPublicKey());
    assertNull(read.getRevokedCertificate(good));
    assertNull(read.getRevokedCertificate(server), "another issuer signed it");
    assertEquals(
        now, read.getRevokedCertificate(stolen).getRevocationDate().toInstant(), "whole seconds");
    assertEquals(
        java.security.cert.CRLReason.KEY_COMPROMISE,
        read.getRevokedCertificate(stolen).getRevocationReason());
    assertFalse(read.getRevokedCertificate(left).hasExtensions(), "no reason, as RFC 5280 asks");
    assertEquals(3, lists.all().size(), "of the root and of both intermediates");
    assertEquals(
        1,
        read(lists.of(Roots.QUICK.chain(server).get(1)).orElseThrow())
            .getRevokedCertificates()
            .size());
    assertTrue(lists.of(Roots.real().certificate()).isEmpty(), "of another colony");
  }

  /** L7: a list cannot be rolled back unnoticed, nor be believed for more than a day. */
  @Test
  void numbersOnlyRiseAndNoListIsBelievedForMoreThanADay() throws Exception {
    X509Certificate issuer = Roots.QUICK.chain(agent(Roots.QUICK, "a")).get(1);
    RevocationList first = lists.of(issuer).orElseThrow();
    assertEquals(Duration.ofHours(24), Duration.between(first.thisUpdate(), first.nextUpdate()));
    assertArrayEquals(first.der(), lists.of(issuer).orElseThrow().der(), "signed once");
    assertEquals(first.number(), number(read(first)));

    now = now.plus(Duration.ofMinutes(61));
    RevocationList later = lists.of(issuer).orElseThrow();
    assertTrue(later.nextUpdate().isAfter(first.nextUpdate()));
    assertTrue(later.number().compareTo(first.number()) > 0);

    source.revoked(agent(Roots.QUICK, "b"), now, Reason.UNSPECIFIED);
    RevocationList changed = lists.of(issuer).orElseThrow();
    assertEquals(1, read(changed).getRevokedCertificates().size(), "at once");
    assertTrue(changed.number().compareTo(later.number()) > 0);

    now = now.minus(Duration.ofMinutes(30));
    RevocationList backwards =
        new RevocationLists(Roots.QUICK, source, () -> now).of(issuer).orElseThrow();
    assertTrue(backwards.number().compareTo(later.number()) > 0, "the revision rules the clock");
    assertTrue(number(read(backwards)).bitLength() <= 159, "RFC 5280: at most 20 octets");
  }

  @Test
  void nothingIsSignedBeforeRevocationsAreKnown() {
    source.isReady = false;
    assertThrows(IllegalStateException.class, lists::all);
  }

  @ParameterizedTest
  @EnumSource(names = {"RSA_2048", "P_256"})
  void opensslReadsTheListAndRefusesWhatIsOnIt(KeyType type) throws Exception {
    Openssl.require();
    Authority authority = Authority.create(Roots.COLONY, Roots.CLOCK, type);
    X509Certificate good = agent(authority, "good");
    X509Certificate bad = agent(authority, "bad");
    source.issued(good);
    source.revoked(bad, now, Reason.KEY_COMPROMISE);
    RevocationLists own = new RevocationLists(authority, source, () -> now);
    StringBuilder all = new StringBuilder();
    own.all().forEach(list -> all.append(list.pem()));
    RevocationList list = own.of(authority.chain(good).get(1)).orElseThrow();
    Path der = Files.write(directory.resolve("agent.crl"), list.der());
    Path crls = Files.writeString(directory.resolve("crls.pem"), all);
    Path root =
        Files.writeString(directory.resolve("root.pem"), Pem.encode(authority.certificate()));
    Path chain = Files.writeString(directory.resolve("bad.pem"), Pem.encode(authority.chain(bad)));
    Path fine = Files.writeString(directory.resolve("good.pem"), Pem.encode(authority.chain(good)));
    Path issuer = Files.writeString(directory.resolve("issuer.pem"), Pem.encode(list.issuer()));

    String text =
        Openssl.run(
            "crl",
            "-inform",
            "DER",
            "-in",
            der.toString(),
            "-CAfile",
            issuer.toString(),
            "-text",
            "-noout");
    assertTrue(text.contains("verify OK"), text);
    assertTrue(text.contains("Key Compromise"), text);
    assertTrue(
        text.contains(bad.getSerialNumber().toString(16).toUpperCase(java.util.Locale.ROOT)), text);
    String accepted = verify(root, crls, fine);
    assertTrue(accepted.endsWith(": OK\n"), accepted);
    String refused = verify(root, crls, chain);
    assertTrue(refused.contains("certificate revoked"), refused);
    now = now.plus(Duration.ofHours(25));
    String stale = verify(root, crls, fine);
    assertTrue(stale.contains("CRL has expired"), stale);
  }

  private String verify(Path root, Path crls, Path chain) throws Exception {
    return Openssl.run(
        "verify",
        "-x509_strict",
        "-crl_check_all",
        "-attime",
        String.valueOf(now.getEpochSecond()),
        "-purpose",
        "sslclient",
        "-CAfile",
        root.toString(),
        "-CRLfile",
        crls.toString(),
        "-untrusted",
        chain.toString(),
        chain.toString());
  }

  private static X509Certificate agent(Authority authority, String id) {
    return authority.issue(
        CertificateProfile.agent(Roots.COLONY, new AgentId(id)),
        Roots.EC.getPublic(),
        Roots.NOW,
        Duration.ofDays(90));
  }

  private static X509Certificate server(Authority authority) {
    return authority.issue(
        CertificateProfile.server(Roots.COLONY),
        Roots.EC.getPublic(),
        Roots.NOW,
        Duration.ofDays(90));
  }

  private static X509CRL read(RevocationList list) throws Exception {
    return (X509CRL)
        CertificateFactory.getInstance("X.509").generateCRL(new ByteArrayInputStream(list.der()));
  }

  private static BigInteger number(X509CRL list) {
    byte[] wrapped = list.getExtensionValue("2.5.29.20");
    assertNotNull(wrapped);
    return ASN1Integer.getInstance(ASN1OctetString.getInstance(wrapped).getOctets()).getValue();
  }
}
