package coral.certificate;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeout;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.files.Pem;
import coral.model.AgentId;
import coral.model.Failure;
import coral.model.RefusedException;
import java.math.BigInteger;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.Signature;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.RSAKeyGenParameterSpec;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.DERBMPString;
import org.bouncycastle.asn1.DERBitString;
import org.bouncycastle.asn1.DERNull;
import org.bouncycastle.asn1.DERSequence;
import org.bouncycastle.asn1.DERSet;
import org.bouncycastle.asn1.DERUTF8String;
import org.bouncycastle.asn1.nist.NISTObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.Attribute;
import org.bouncycastle.asn1.pkcs.CertificationRequest;
import org.bouncycastle.asn1.pkcs.CertificationRequestInfo;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.RSAPublicKey;
import org.bouncycastle.asn1.sec.SECObjectIdentifiers;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x500.X500NameBuilder;
import org.bouncycastle.asn1.x500.style.BCStyle;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.DigestInfo;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.asn1.x9.X9ObjectIdentifiers;
import org.bouncycastle.crypto.ec.CustomNamedCurves;
import org.junit.jupiter.api.Test;

/** RFD 020, and cases C1 to C8: the colony validates certificate signing requests. */
class CertificateRequestsTest {
  private static final AgentId AGENT = new AgentId("web-1.eu_west");
  private static final ASN1ObjectIdentifier SHA256_RSA =
      PKCSObjectIdentifiers.sha256WithRSAEncryption;

  @Test
  void anAgentsOwnRequestIsVerified() throws Exception {
    for (KeyPair keys : List.of(Roots.RSA, Roots.EC)) {
      VerifiedRequest verified =
          CertificateRequests.verify(CertificateRequests.create(AGENT, keys), AGENT);
      assertEquals(AGENT, verified.agentId());
      assertEquals(keys.getPublic(), verified.publicKey());
      assertEquals(PublicKeys.sha256(keys.getPublic().getEncoded()), verified.keyHash());
    }
  }

  @Test
  void rsaOf3072And4096BitsIsAllowed() throws Exception {
    for (int bits : new int[] {3072, 4096}) {
      assertEquals(AGENT, verify(request(name(AGENT.value()), rsa(bits, 65537))).agentId());
    }
  }

  /** Case C4. */
  @Test
  void otherSizesOfRsaAreRefused() throws Exception {
    for (int bits : new int[] {1024, 2047, 2056}) {
      assertRefused(request(name(AGENT.value()), rsa(bits, 65537)), bits + " bits");
    }
  }

  /** Case C4: A modulus of 16,384 bits costs BouncyCastle a second to look at. */
  @Test
  void aHugeModulusIsRefusedBeforeAnySignatureIsLookedAt() throws Exception {
    BigInteger modulus = new BigInteger(16384, new Random(1)).setBit(16383).setBit(0);
    CertificationRequest request =
        signed(
            info(name(AGENT.value()), rsaKey(modulus, BigInteger.valueOf(65537))), new byte[2048]);
    assertTimeout(Duration.ofMillis(500), () -> assertRefused(request, "16384 bits"));
  }

  /** Case C4. */
  @Test
  void otherExponentsAreRefused() throws Exception {
    assertRefused(request(name(AGENT.value()), rsa(2048, 3)), "exponent");
  }

  /**
   * Case C4: With e = 1 the padded hash is its own signature: possession is "proved" without a key.
   */
  @Test
  void aForgedProofByTheExponentOneIsRefused() throws Exception {
    BigInteger modulus = new BigInteger(2048, new Random(2)).setBit(2047).setBit(0);
    CertificationRequestInfo info = info(name(AGENT.value()), rsaKey(modulus, BigInteger.ONE));
    byte[] digest = MessageDigest.getInstance("SHA-256").digest(info.getEncoded("DER"));
    byte[] digestInfo =
        new DigestInfo(
                new AlgorithmIdentifier(NISTObjectIdentifiers.id_sha256, DERNull.INSTANCE), digest)
            .getEncoded("DER");
    byte[] padded = new byte[256];
    Arrays.fill(padded, (byte) 0xff);
    padded[0] = 0;
    padded[1] = 1;
    padded[256 - digestInfo.length - 1] = 0;
    System.arraycopy(digestInfo, 0, padded, 256 - digestInfo.length, digestInfo.length);
    assertRefused(signed(info, padded), "exponent");
  }

  /** Case C4. */
  @Test
  void aModulusOfPrimesThatAreCloseToEachOtherIsRefused() throws Exception {
    BigInteger first = BigInteger.ONE.shiftLeft(1024).subtract(BigInteger.TWO.pow(1000));
    first = first.nextProbablePrime();
    BigInteger second = first.nextProbablePrime();
    for (BigInteger other : List.of(first, second, second.nextProbablePrime())) {
      assertRefused(
          signed(
              info(name(AGENT.value()), rsaKey(first.multiply(other), BigInteger.valueOf(65537))),
              new byte[256]),
          "too close");
    }
  }

  /** Case C4. */
  @Test
  void aModulusWithASmallFactorIsRefused() throws Exception {
    // Odd, and 751 times it has 2048 bits: 751 is between 2^9 and 2^10.
    BigInteger cofactor = new BigInteger(2038, new Random(3)).setBit(2037).setBit(2036).setBit(0);
    BigInteger modulus = BigInteger.valueOf(751).multiply(cofactor);
    assertEquals(2048, modulus.bitLength());
    assertRefused(
        signed(
            info(name(AGENT.value()), rsaKey(modulus, BigInteger.valueOf(65537))), new byte[256]),
        "small factor");
  }

  /** Case C6. */
  @Test
  void onlyTheCurveP256IsAllowed() throws Exception {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
    generator.initialize(new ECGenParameterSpec("secp384r1"));
    assertRefused(request(name(AGENT.value()), generator.generateKeyPair()), "not P-256");
  }

  /**
   * Case C6: Whoever chooses the parameters of the curve can choose the key's private half
   * (CVE-2020-0601).
   */
  @Test
  void explicitCurveParametersAreRefused() throws Exception {
    SubjectPublicKeyInfo named = spki(Roots.EC);
    SubjectPublicKeyInfo explicit =
        new SubjectPublicKeyInfo(
            new AlgorithmIdentifier(
                X9ObjectIdentifiers.id_ecPublicKey,
                CustomNamedCurves.getByOID(SECObjectIdentifiers.secp256r1)),
            named.getPublicKeyData().getBytes());
    assertRefused(
        signed(
            info(name(AGENT.value()), explicit), Roots.EC, X9ObjectIdentifiers.ecdsa_with_SHA256),
        "not P-256");
  }

  /** Case C6. */
  @Test
  void pointsOffTheCurveCompressedOrAtInfinityAreRefused() throws Exception {
    byte[] point = spki(Roots.EC).getPublicKeyData().getBytes();
    byte[] offCurve = point.clone();
    offCurve[64] ^= 1;
    byte[] compressed = Arrays.copyOf(point, 33);
    compressed[0] = (byte) (2 + (point[64] & 1));
    for (byte[] encoded : List.of(offCurve, compressed, new byte[] {0}, new byte[65])) {
      SubjectPublicKeyInfo key =
          new SubjectPublicKeyInfo(
              new AlgorithmIdentifier(
                  X9ObjectIdentifiers.id_ecPublicKey, SECObjectIdentifiers.secp256r1),
              encoded);
      assertRefused(
          signed(info(name(AGENT.value()), key), Roots.EC, X9ObjectIdentifiers.ecdsa_with_SHA256),
          "P-256 key is not");
    }
  }

  /** Case C6. */
  @Test
  void otherKindsOfKeyAreRefused() throws Exception {
    KeyPair keys = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
    assertRefused(
        signed(
            info(
                name(AGENT.value()),
                SubjectPublicKeyInfo.getInstance(keys.getPublic().getEncoded())),
            new byte[64]),
        "not allowed");
  }

  /** Case C7: Otherwise one key would have two hashes, and could be claimed for two agents. */
  @Test
  void aKeyInAnotherEncodingThanItsCanonicalOneIsRefused() throws Exception {
    SubjectPublicKeyInfo withoutNull =
        new SubjectPublicKeyInfo(
            new AlgorithmIdentifier(PKCSObjectIdentifiers.rsaEncryption),
            spki(Roots.RSA).getPublicKeyData().getBytes());
    assertRefused(
        signed(info(name(AGENT.value()), withoutNull), Roots.RSA, SHA256_RSA), "canonical");
  }

  /** Case C7. */
  @Test
  void anotherKeysSignatureProvesNothing() throws Exception {
    CertificationRequestInfo info = info(name(AGENT.value()), spki(Roots.RSA));
    assertRefused(signed(info, Roots.OTHER_RSA, SHA256_RSA), "possession");
    assertRefused(signed(info, new byte[256]), "possession");
    assertRefused(signed(info, new byte[0]), "possession");
    CertificationRequestInfo ec = info(name(AGENT.value()), spki(Roots.EC));
    assertRefused(
        signed(ec, KeyType.P_256.generate(), X9ObjectIdentifiers.ecdsa_with_SHA256), "possession");
    // CVE-2022-21449: r = s = 0.
    assertRefused(
        new CertificationRequest(
            ec,
            new AlgorithmIdentifier(X9ObjectIdentifiers.ecdsa_with_SHA256),
            new DERBitString(new byte[] {0x30, 6, 2, 1, 0, 2, 1, 0})),
        "possession");
  }

  /** Case C7. */
  @Test
  void aRequestThatWasChangedAfterSigningIsRefused() throws Exception {
    CertificationRequest mine = request(name("web-2"), Roots.RSA);
    assertRefused(
        new CertificationRequest(
            info(name(AGENT.value()), spki(Roots.RSA)),
            mine.getSignatureAlgorithm(),
            mine.getSignature()),
        "possession");
  }

  /** Case C7. */
  @Test
  void weakOrForeignSignatureAlgorithmsAreRefused() throws Exception {
    CertificationRequestInfo info = info(name(AGENT.value()), spki(Roots.RSA));
    assertRefused(
        signed(info, Roots.RSA, PKCSObjectIdentifiers.sha1WithRSAEncryption, "SHA1withRSA"),
        "not allowed");
    assertRefused(
        signed(info, Roots.RSA, PKCSObjectIdentifiers.md5WithRSAEncryption, "MD5withRSA"),
        "not allowed");
    assertRefused(
        new CertificationRequest(
            info,
            new AlgorithmIdentifier(X9ObjectIdentifiers.ecdsa_with_SHA256),
            new DERBitString(new byte[70])),
        "not allowed");
  }

  /** Case C1. */
  @Test
  void theOnlyCommonNameIsTheAgentId() throws Exception {
    assertRefused(request(name("web-2"), Roots.RSA), "common name");
    assertRefused(request(name("WEB-1.EU_WEST"), Roots.RSA), "common name");
    assertRefused(request(name(AGENT + "\0"), Roots.RSA), "common name");
    assertRefused(request(name(AGENT + "\0.evil"), Roots.RSA), "common name");
    assertRefused(request(name(AGENT + ",CN=admin"), Roots.RSA), "common name");
    assertRefused(request(name("wеb-1.eu_west"), Roots.RSA), "common name"); // Cyrillic
    assertRefused(request(name(""), Roots.RSA), "common name");
    assertRefused(
        request(new X500Name(new org.bouncycastle.asn1.x500.RDN[0]), Roots.RSA), "0 common");
    assertRefused(
        request(
            new X500NameBuilder().addRDN(BCStyle.CN, new DERBMPString(AGENT.value())).build(),
            Roots.RSA),
        "common name");
  }

  /** Case C1. */
  @Test
  void twoCommonNamesAreRefusedWhereverTheyStand() throws Exception {
    assertRefused(
        request(
            new X500NameBuilder()
                .addRDN(BCStyle.CN, AGENT.value())
                .addRDN(BCStyle.CN, "web-2")
                .build(),
            Roots.RSA),
        "2 common names");
    assertRefused(
        request(
            new X500NameBuilder()
                .addMultiValuedRDN(
                    new ASN1ObjectIdentifier[] {BCStyle.CN, BCStyle.CN},
                    new String[] {AGENT.value(), "web-2"})
                .build(),
            Roots.RSA),
        "2 common names");
  }

  /** Case C2. */
  @Test
  void whatElseTheSubjectSaysIsIgnored() throws Exception {
    X500Name name =
        new X500NameBuilder()
            .addRDN(BCStyle.O, "another-colony")
            .addRDN(BCStyle.OU, "administrators")
            .addRDN(BCStyle.CN, AGENT.value())
            .build();
    VerifiedRequest verified = verify(request(name, Roots.RSA));
    var certificate =
        Roots.QUICK.issue(
            CertificateProfile.agent(Roots.COLONY, AGENT),
            verified.publicKey(),
            Roots.NOW,
            Duration.ofDays(1));
    assertEquals(
        "CN=" + AGENT + ",O=" + Roots.COLONY, certificate.getSubjectX500Principal().getName());
  }

  /** Case C2: names; case C3: to be an authority, other purposes, and extensions given twice. */
  @Test
  void aRequestThatAsksForAnyExtensionIsRefused() throws Exception {
    String role = "spiffe://" + Roots.COLONY + "/admin/root";
    List<GeneralName> names =
        List.of(
            new GeneralName(GeneralName.uniformResourceIdentifier, role),
            new GeneralName(GeneralName.dNSName, "*.example.com"),
            new GeneralName(GeneralName.iPAddress, "10.0.0.1"));
    List<Extension> asked = new ArrayList<>();
    for (GeneralName name : names) {
      asked.add(Extension.create(Extension.subjectAlternativeName, false, new GeneralNames(name)));
    }
    asked.add(Extension.create(Extension.basicConstraints, true, new BasicConstraints(true)));
    asked.add(Extension.create(Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign)));
    asked.add(
        Extension.create(
            Extension.extendedKeyUsage,
            false,
            new ExtendedKeyUsage(KeyPurposeId.anyExtendedKeyUsage)));
    // RFC 7633 (must-staple) and RFC 6962 (poison).
    for (String oid : List.of("1.3.6.1.5.5.7.1.24", "1.3.6.1.4.1.11129.2.4.3")) {
      asked.add(Extension.create(new ASN1ObjectIdentifier(oid), true, DERNull.INSTANCE));
    }
    for (Extension extension : asked) {
      assertAsksInVain(new DERSequence(extension));
    }
    assertAsksInVain(new DERSequence(new Extension[] {asked.get(0), asked.get(0)}));
    assertAsksInVain(new DERSequence());
  }

  private static void assertAsksInVain(DERSequence extensions) throws Exception {
    CertificationRequestInfo info =
        new CertificationRequestInfo(
            name(AGENT.value()),
            spki(Roots.RSA),
            new DERSet(
                new Attribute(
                    PKCSObjectIdentifiers.pkcs_9_at_extensionRequest, new DERSet(extensions))));
    assertRefused(signed(info, Roots.RSA, SHA256_RSA), "attributes or extensions");
  }

  /** Case C8. */
  @Test
  void bytesAfterTheRequestAreRefused() throws Exception {
    byte[] der = request(name(AGENT.value()), Roots.RSA).getEncoded("DER");
    assertRefused(pem(Arrays.copyOf(der, der.length + 1)), "not a PKCS#10 request");
    assertRefused(pem(Arrays.copyOf(der, der.length - 1)), "not a PKCS#10 request");
  }

  /** Case C8. */
  @Test
  void twoBlocksOtherBlocksAndLargeTextsAreRefused() throws Exception {
    byte[] one = CertificateRequests.create(AGENT, Roots.RSA);
    String text = new String(one, US_ASCII);
    assertRefused((text + text).getBytes(US_ASCII), "more than 1");
    assertRefused(
        text.replace("CERTIFICATE REQUEST", "CERTIFICATE").getBytes(US_ASCII), "block of type");
    assertRefused((text + " ".repeat(Pem.MAX_REQUEST_BYTES)).getBytes(US_ASCII), "at most 16384");
    assertRefused(new byte[0], "not PEM");
    assertRefused(pem(new byte[] {0x30, (byte) 0x84, 0x7f, -1, -1, -1}), "not a PKCS#10 request");
  }

  /** Case C8: Whatever is sent, the answer is a refusal. */
  @Test
  void noMutationOfARequestIsMoreThanRefused() throws Exception {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    for (KeyPair keys : List.of(Roots.RSA, Roots.EC)) {
      byte[] der = request(name(AGENT.value()), keys).getEncoded("DER");
      for (int i = 0; i < 1500; i++) {
        byte[] mutant = der.clone();
        for (int j = 0; j <= random.nextInt(3); j++) {
          mutant[random.nextInt(mutant.length)] = (byte) random.nextInt(256);
        }
        if (!Arrays.equals(mutant, der)) {
          RefusedException refused =
              assertThrows(
                  RefusedException.class,
                  () -> CertificateRequests.verify(pem(mutant), AGENT),
                  "seed " + seed);
          assertEquals(Failure.INVALID_ARGUMENT, refused.refused().failure(), "seed " + seed);
        }
      }
    }
  }

  private static VerifiedRequest verify(CertificationRequest request) throws Exception {
    return CertificateRequests.verify(pem(request.getEncoded("DER")), AGENT);
  }

  private static void assertRefused(CertificationRequest request, String reason) throws Exception {
    assertRefused(pem(request.getEncoded("DER")), reason);
  }

  private static void assertRefused(byte[] pem, String reason) {
    RefusedException refused =
        assertThrows(RefusedException.class, () -> CertificateRequests.verify(pem, AGENT), reason);
    assertEquals(Failure.INVALID_ARGUMENT, refused.refused().failure());
    assertTrue(refused.toString().contains(reason), refused.toString());
  }

  private static byte[] pem(byte[] der) {
    return Pem.encode(Pem.CERTIFICATE_REQUEST, der).getBytes(US_ASCII);
  }

  private static X500Name name(String commonName) {
    return new X500NameBuilder().addRDN(BCStyle.CN, new DERUTF8String(commonName)).build();
  }

  private static KeyPair rsa(int bits, int exponent) throws Exception {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
    generator.initialize(new RSAKeyGenParameterSpec(bits, BigInteger.valueOf(exponent)));
    return generator.generateKeyPair();
  }

  private static SubjectPublicKeyInfo rsaKey(BigInteger modulus, BigInteger exponent)
      throws Exception {
    return new SubjectPublicKeyInfo(
        new AlgorithmIdentifier(PKCSObjectIdentifiers.rsaEncryption, DERNull.INSTANCE),
        new RSAPublicKey(modulus, exponent));
  }

  private static SubjectPublicKeyInfo spki(KeyPair keys) {
    return SubjectPublicKeyInfo.getInstance(keys.getPublic().getEncoded());
  }

  private static CertificationRequestInfo info(X500Name name, SubjectPublicKeyInfo key) {
    return new CertificationRequestInfo(name, key, new DERSet());
  }

  private static CertificationRequest request(X500Name name, KeyPair keys) throws Exception {
    return signed(
        info(name, spki(keys)),
        keys,
        keys.getPrivate().getAlgorithm().equals("RSA")
            ? SHA256_RSA
            : X9ObjectIdentifiers.ecdsa_with_SHA256);
  }

  private static CertificationRequest signed(
      CertificationRequestInfo info, KeyPair keys, ASN1ObjectIdentifier algorithm)
      throws Exception {
    return signed(
        info, keys, algorithm, PublicKeys.signatureAlgorithm(keys.getPrivate().getAlgorithm()));
  }

  private static CertificationRequest signed(
      CertificationRequestInfo info, KeyPair keys, ASN1ObjectIdentifier algorithm, String name)
      throws Exception {
    Signature signature = Signature.getInstance(name);
    signature.initSign(keys.getPrivate());
    signature.update(info.getEncoded("DER"));
    AlgorithmIdentifier identifier =
        name.endsWith("RSA")
            ? new AlgorithmIdentifier(algorithm, DERNull.INSTANCE)
            : new AlgorithmIdentifier(algorithm);
    return new CertificationRequest(info, identifier, new DERBitString(signature.sign()));
  }

  private static CertificationRequest signed(CertificationRequestInfo info, byte[] signature) {
    return new CertificationRequest(
        info, new AlgorithmIdentifier(SHA256_RSA, DERNull.INSTANCE), new DERBitString(signature));
  }
}
