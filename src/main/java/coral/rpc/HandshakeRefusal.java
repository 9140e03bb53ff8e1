package coral.rpc;

/** Why a client's certificate ended its handshake. */
public enum HandshakeRefusal {
  /** It, or an authority above it, is not valid at this time. */
  EXPIRED,
  /** It does not lead to a root that is trusted, or is not for clients. */
  UNTRUSTED,
  /** It is one of ours and is good no longer: revoked, superseded, or never listed. */
  ENDED
}
