package coral.model;

/** An actor message that may cross from one cluster node to another; serialized as CBOR. */
public interface ClusterMessage {}
