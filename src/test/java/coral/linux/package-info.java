@NullMarked
package coral.linux;

import org.jspecify.annotations.NullMarked;
