/**
 * What the agent's host is connected to inside the mesh: read from the kernel's table of TCP
 * sockets and its connection tracking, and counted. Of connections to anywhere else nothing is
 * kept. Used by the agent's session.
 */
@NullMarked
package coral.agent.observation;

import org.jspecify.annotations.NullMarked;
