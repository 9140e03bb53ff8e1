package coral.testing;

import com.google.protobuf.ByteString;
import com.google.protobuf.util.Durations;
import coral.api.discovery.v1.OwnerProof;
import coral.api.discovery.v1.RegisterColonyRequest;
import coral.api.discovery.v1.RotateColonySecretRequest;
import coral.files.SecureFiles;
import coral.model.Secret;
import coral.ownership.AnnouncementStatement;
import coral.ownership.ColonyOwner;
import coral.ownership.RotationStatement;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Optional;

/** Requests to discovery as a colony's owner signs them. */
public final class OwnerSignatures {
  private OwnerSignatures() {}

  /** An owner whose key is made in this folder if there is none. */
  public static ColonyOwner owner(Path directory, InstantSource clock) throws IOException {
    SecureFiles.createDirectory(directory);
    return ColonyOwner.open(directory, Optional.empty(), clock);
  }

  /** The request with the owner's proof. */
  public static RegisterColonyRequest.Builder sign(
      ColonyOwner owner, RegisterColonyRequest.Builder request) throws IOException {
    return request
        .clone()
        .setOwner(
            proof(
                owner.sign(
                    new AnnouncementStatement(
                        request.getMeshId(),
                        request.getWireguardPubkey(),
                        request.getPublicEndpointsList(),
                        request.getMeshIpv4(),
                        request.getMeshIpv6(),
                        request.getConnectPort(),
                        request.getMetadataMap(),
                        new Secret(request.getColonySecret())))));
  }

  /** The request with the owner's proof; it has a grace. */
  public static RotateColonySecretRequest.Builder sign(
      ColonyOwner owner, RotateColonySecretRequest.Builder request) throws IOException {
    return request
        .clone()
        .setOwner(
            proof(
                owner.sign(
                    new RotationStatement(
                        request.getMeshId(),
                        new Secret(request.getColonySecret()),
                        new Secret(request.getNewColonySecret()),
                        Duration.ofNanos(Durations.toNanos(request.getGrace()))))));
  }

  private static OwnerProof.Builder proof(ColonyOwner.Signed signed) {
    return OwnerProof.newBuilder()
        .setPublicKey(ByteString.copyFrom(signed.publicKey().toBytes()))
        .setSequence(signed.sequence())
        .setSignature(ByteString.copyFrom(signed.signature()));
  }
}
