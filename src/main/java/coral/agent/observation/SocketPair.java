package coral.agent.observation;

import java.net.InetAddress;

/** A TCP connection between a socket of this host, with its address in the mesh, and another. */
record SocketPair(InetAddress remote, int remotePort, int localPort) {}
