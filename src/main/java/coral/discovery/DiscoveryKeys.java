package coral.discovery;

import com.google.protobuf.ByteString;
import coral.api.discovery.v1.DiscoveryKey;
import coral.api.discovery.v1.GetDiscoveryPublicKeyResponse;
import coral.token.PublishedKey;
import coral.token.TokenIssuer;

/** The published keys as a message. */
final class DiscoveryKeys {
  private DiscoveryKeys() {}

  static GetDiscoveryPublicKeyResponse response(TokenIssuer.Published published) {
    PublishedKey current = published.current();
    return GetDiscoveryPublicKeyResponse.newBuilder()
        .setPublicKey(current.key().toString())
        .setKeyId(current.key().id())
        .addAllKeys(published.keys().stream().map(DiscoveryKeys::message).toList())
        .build();
  }

  private static DiscoveryKey message(PublishedKey key) {
    DiscoveryKey.Builder message =
        DiscoveryKey.newBuilder()
            .setKeyId(key.key().id())
            .setPublicKey(key.key().toString())
            .setState(
                switch (key.state()) {
                  case NEXT -> DiscoveryKey.State.NEXT;
                  case CURRENT -> DiscoveryKey.State.CURRENT;
                  case PREVIOUS -> DiscoveryKey.State.PREVIOUS;
                })
            .setCreatedAt(DiscoveryEdge.timestamp(key.createdAt()));
    key.retiredAt().ifPresent(at -> message.setRetiredAt(DiscoveryEdge.timestamp(at)));
    key.endorsement()
        .ifPresent(
            endorsement ->
                message
                    .setEndorsedBy(endorsement.endorserId())
                    .setEndorsement(ByteString.copyFrom(endorsement.signature())));
    return message.build();
  }
}
