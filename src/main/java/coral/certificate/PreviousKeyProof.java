package coral.certificate;

/**
 * What a holder shows who has lost its certificate to time: the certificate, and that it still has
 * the key. Nothing of it has been checked.
 *
 * @param certificatePem as it was sent
 * @param signature by the certificate's key over the DER of the PKCS#10 request, SHA256withRSA or
 *     SHA256withECDSA
 */
@SuppressWarnings("ArrayRecordComponent") // a message, compared by nobody
public record PreviousKeyProof(byte[] certificatePem, byte[] signature) {}
