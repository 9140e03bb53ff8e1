/**
 * Who holds which address of the mesh, for ever. The pure core ({@code AllocationTable}, {@code
 * AllocationDraft}) decides; {@link coral.address.IpAllocator} is the actor around it, whose
 * journal is the truth. Used by the colony process; knows only {@code model}.
 */
@NullMarked
package coral.address;

import org.jspecify.annotations.NullMarked;
