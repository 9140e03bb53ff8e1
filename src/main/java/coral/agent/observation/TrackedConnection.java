package coral.agent.observation;

import java.util.Optional;

/**
 * An open connection that the kernel tracks.
 *
 * @param socket of this host at its end; empty for datagrams, and where the end is elsewhere, such
 *     as in a container
 */
record TrackedConnection(ObservedConnection seen, Optional<SocketPair> socket) {}
