package coral.certificate;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.DERNull;
import org.bouncycastle.asn1.ocsp.OCSPObjectIdentifiers;
import org.bouncycastle.asn1.ocsp.OCSPRequest;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.cert.ocsp.CertificateID;
import org.bouncycastle.cert.ocsp.OCSPReq;
import org.bouncycastle.cert.ocsp.OCSPRespBuilder;
import org.bouncycastle.cert.ocsp.Req;
import org.jspecify.annotations.Nullable;

/**
 * What a stranger asks an {@link OcspResponder} (RFC 6960, section 4.1), read to its end.
 *
 * @param asked for the status of these certificates, 1 to 16
 * @param nonce to be given back, so that the answer is to this question and no other
 */
record OcspQuestion(List<CertificateID> asked, Optional<Extension> nonce) {
  private static final int MAX_CERTIFICATES = 16;

  /** RFC 9654, section 2.1. */
  private static final int MAX_NONCE_BYTES = 128;

  OcspQuestion {
    asked = List.copyOf(asked);
  }

  /** A request that is answered by an error (RFC 6960, section 4.2.1). */
  static final class RefusedRequestException extends Exception {
    private static final long serialVersionUID = 1L;
    final int status;

    RefusedRequestException(int status) {
      super("OCSP response status " + status);
      this.status = status;
    }
  }

  /**
   * Reads a request.
   *
   * @throws RefusedRequestException if it is malformed, longer than {@link
   *     OcspResponder#MAX_REQUEST_BYTES}, or about too many certificates
   */
  static OcspQuestion parse(byte[] request) throws RefusedRequestException {
    if (request.length > OcspResponder.MAX_REQUEST_BYTES) {
      throw new RefusedRequestException(OCSPRespBuilder.MALFORMED_REQUEST);
    }
    try {
      OCSPRequest structure = OCSPRequest.getInstance(request);
      OCSPReq parsed = new OCSPReq(structure);
      // Read to the end here, where a parser that reads lazily may fail as it likes.
      boolean isExact = Arrays.equals(structure.getEncoded(ASN1Encoding.DER), request);
      int count = parsed.getRequestList().length;
      if (isExact && count >= 1 && count <= MAX_CERTIFICATES && parsed.getVersionNumber() == 1) {
        List<CertificateID> asked =
            Arrays.stream(parsed.getRequestList()).map(Req::getCertID).toList();
        return new OcspQuestion(asked, nonce(parsed));
      }
    } catch (IOException | RuntimeException e) {
      RefusedRequestException refused =
          new RefusedRequestException(OCSPRespBuilder.MALFORMED_REQUEST);
      refused.initCause(e);
      throw refused;
    }
    throw new RefusedRequestException(OCSPRespBuilder.MALFORMED_REQUEST);
  }

  /** Without extensions or with the nonce alone; one that is critical and not known is not met. */
  private static Optional<Extension> nonce(OCSPReq request) throws RefusedRequestException {
    @Nullable Extension nonce = request.getExtension(OCSPObjectIdentifiers.id_pkix_ocsp_nonce);
    for (Object critical : request.getCriticalExtensionOIDs()) {
      if (!OCSPObjectIdentifiers.id_pkix_ocsp_nonce.equals(critical)) {
        throw new RefusedRequestException(OCSPRespBuilder.MALFORMED_REQUEST);
      }
    }
    if (nonce == null) {
      return Optional.empty();
    }
    try {
      // Some clients wrap the nonce in an OCTET STRING as they should, some do not.
      int length = nonce.getExtnValue().getOctets().length;
      if (length >= 1 && length <= MAX_NONCE_BYTES + 4) {
        return Optional.of(
            Extension.create(
                OCSPObjectIdentifiers.id_pkix_ocsp_nonce,
                false,
                ASN1OctetString.getInstance(nonce.getExtnValue().getOctets())));
      }
    } catch (IOException | RuntimeException e) {
      RefusedRequestException refused =
          new RefusedRequestException(OCSPRespBuilder.MALFORMED_REQUEST);
      refused.initCause(e);
      throw refused;
    }
    throw new RefusedRequestException(OCSPRespBuilder.MALFORMED_REQUEST);
  }

  /**
   * What answers signed before are found by. Empty for a question whose answer is signed for it
   * alone: it has a nonce, is about several certificates, or spells one in a way of its own.
   */
  Optional<ByteBuffer> key() {
    CertificateID id = asked.get(0);
    @Nullable ASN1Encodable spelling = id.toASN1Primitive().getHashAlgorithm().getParameters();
    if (nonce.isPresent() || asked.size() > 1) {
      return Optional.empty();
    }
    if (spelling != null && !DERNull.INSTANCE.equals(spelling)) {
      return Optional.empty();
    }
    try {
      return Optional.of(ByteBuffer.wrap(id.toASN1Primitive().getEncoded(ASN1Encoding.DER)));
    } catch (IOException e) {
      throw new IllegalStateException("a name of a certificate without an encoding", e);
    }
  }
}
