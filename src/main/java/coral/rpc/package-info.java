/**
 * What every gRPC edge and every client of one shares: who calls, who may call, TLS on both sides,
 * failures as statuses, limits on what a request may weigh, and the Connect protocol for clients
 * that start no actor system. Knows keys and certificates as the JDK's types only.
 */
@NullMarked
package coral.rpc;

import org.jspecify.annotations.NullMarked;
