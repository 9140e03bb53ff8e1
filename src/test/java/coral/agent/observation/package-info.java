@NullMarked
package coral.agent.observation;

import org.jspecify.annotations.NullMarked;
