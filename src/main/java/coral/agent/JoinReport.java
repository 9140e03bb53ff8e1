package coral.agent;

import coral.model.AgentId;
import coral.model.ColonyId;
import coral.model.MeshAddresses;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What a join brought.
 *
 * @param onHost whether the tunnel ends at an interface of the host; else inside the process
 * @param certificateSerial hexadecimal
 * @param certificatePaidWith {@link Payment#kind}; empty if that is not known any more
 * @param took from creating the interface to the first probe answered, failed attempts included;
 *     empty when the interface was there already
 * @param steps in their order, as they went last
 */
record JoinReport(
    AgentId agentId,
    ColonyId colonyId,
    String interfaceName,
    boolean onHost,
    MeshAddresses addresses,
    String certificateSerial,
    Instant certificateNotAfter,
    Optional<String> certificatePaidWith,
    Optional<Duration> took,
    List<StepTime> steps,
    ProbeResult probe) {

  record StepTime(JoinStep step, Duration took) {}

  JoinReport {
    steps = List.copyOf(steps);
  }

  /**
   * The report of a join whose session is open.
   *
   * @param opening what that took
   */
  static JoinReport of(AgentDependencies with, JoinColony.Joined join, Duration opening) {
    X509Certificate certificate = join.result().credentials().identity().certificate();
    List<StepTime> steps = new ArrayList<>(join.steps());
    steps.add(new StepTime(JoinStep.OPEN_SESSION, opening));
    return new JoinReport(
        with.settings().agentId(),
        with.settings().colonyId(),
        with.tunnel().name(),
        with.onHost(),
        join.result().membership().own(),
        certificate.getSerialNumber().toString(16),
        certificate.getNotAfter().toInstant(),
        join.result().credentials().paidWith(),
        join.took(),
        steps,
        join.result().probe());
  }
}
