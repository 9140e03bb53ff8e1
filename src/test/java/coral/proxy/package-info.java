@NullMarked
package coral.proxy;

import org.jspecify.annotations.NullMarked;
