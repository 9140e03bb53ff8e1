/**
 * The colony process: who joins, which address each agent holds, who is there, and the hub of the
 * tunnels. {@link coral.colony.ColonyProcess} is the wiring diagram; {@link
 * coral.colony.ColonyFiles} makes and reads what a colony keeps on disk. Started by the command
 * line.
 */
@NullMarked
package coral.colony;

import org.jspecify.annotations.NullMarked;
