package coral.e2e;

import coral.certificate.Identity;
import coral.files.Pem;
import coral.rpc.ClientCertificate;
import coral.wireguard.KeyPair;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;

/** What an agent keeps on its disk, as somebody who steals it reads it. */
record AgentState(Path directory) {

  /** The certificate of now, with its key. */
  Identity identity() throws IOException {
    String text = Files.readString(directory.resolve("identity.pem"), StandardCharsets.US_ASCII);
    int chain = text.indexOf("-----BEGIN CERTIFICATE-----");
    return new Identity(
        Pem.privateKey(text.substring(0, chain).getBytes(StandardCharsets.US_ASCII)),
        Pem.certificates(text.substring(chain).getBytes(StandardCharsets.US_ASCII)));
  }

  /** The same, to be shown in a handshake. */
  ClientCertificate certificate() throws IOException {
    Identity identity = identity();
    return new ClientCertificate(identity.key(), identity.chain());
  }

  KeyPair wireGuardKeys() throws IOException {
    return wireGuardKeys(directory.resolve("wireguard.key"));
  }

  /** A key as {@code wg genkey} prints it. */
  static KeyPair wireGuardKeys(Path file) throws IOException {
    String text = Files.readString(file, StandardCharsets.US_ASCII).strip();
    return KeyPair.ofPrivateKey(Base64.getDecoder().decode(text));
  }
}
