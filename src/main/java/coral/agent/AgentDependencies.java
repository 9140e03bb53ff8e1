package coral.agent;

import java.time.InstantSource;
import java.util.concurrent.Executor;
import java.util.function.DoubleSupplier;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * What the agent's actors work with.
 *
 * @param nanoTime a monotonic clock, in nanoseconds
 * @param random from 0 (included) to 1 (excluded), for the jitter
 * @param requestIds a new one at each call
 * @param onHost whether the tunnel ends at an interface of the host, for the report
 * @param blocking where calls that block run
 */
record AgentDependencies(
    AgentSettings settings,
    JoinSteps steps,
    Enrolment enrolment,
    ColonyClient colony,
    Tunnel tunnel,
    boolean onHost,
    InstantSource clock,
    LongSupplier nanoTime,
    DoubleSupplier random,
    Supplier<String> requestIds,
    Executor blocking) {}
