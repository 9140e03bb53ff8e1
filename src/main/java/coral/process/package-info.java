/**
 * What every process of Coral has in common: how it ends by a signal, and which build it is. Used
 * by {@code discovery}, {@code colony}, {@code agent} and {@code cli}.
 */
@NullMarked
package coral.process;

import org.jspecify.annotations.NullMarked;
