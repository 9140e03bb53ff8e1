@NullMarked
package coral.agent;

import org.jspecify.annotations.NullMarked;
