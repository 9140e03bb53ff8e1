/**
 * What the agent's host is connected to inside the mesh: read from the kernel's connection tracking
 * or its table of TCP sockets, and counted. Of connections to anywhere else nothing is kept. Used
 * by the agent's session.
 */
@NullMarked
package coral.agent.observation;

import org.jspecify.annotations.NullMarked;
