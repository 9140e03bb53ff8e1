package coral.agent;

import coral.agent.observation.Observation;
import java.time.InstantSource;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.function.DoubleSupplier;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * What the agent's actors work with.
 *
 * @param nanoTime a monotonic clock, in nanoseconds
 * @param random from 0 (included) to 1 (excluded), for the jitter
 * @param requestIds a new one at each call
 * @param observer what the host of this member is connected to inside the mesh; empty if that is
 *     not known or not to be told; may block
 * @param onHost whether the tunnel ends at an interface of the host, for the report
 * @param blocking where calls that block run
 */
record AgentDependencies(
    AgentSettings settings,
    JoinSteps steps,
    Enrolment enrolment,
    ColonyClient colony,
    Tunnel tunnel,
    Function<Membership, Optional<Observation>> observer,
    boolean onHost,
    InstantSource clock,
    LongSupplier nanoTime,
    DoubleSupplier random,
    Supplier<String> requestIds,
    Executor blocking) {}
