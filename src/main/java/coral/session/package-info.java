/**
 * Who is there: one actor per agent on the colony, {@link coral.session.AgentSession}, knows its
 * current stream, when it was last heard and what it reported; {@link
 * coral.session.PresenceDirectory} keeps what they tell for lists, {@link
 * coral.session.ConnectionDirectory} what agents have observed on their hosts. {@link
 * coral.session.Presence} judges. Used by the colony.
 */
@NullMarked
package coral.session;

import org.jspecify.annotations.NullMarked;
