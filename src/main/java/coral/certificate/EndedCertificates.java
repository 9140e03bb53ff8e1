package coral.certificate;

import coral.certificate.CertificateLedger.Ended;
import coral.model.AgentId;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Certificates that are good no longer, until nobody can believe them any more: the part of the
 * {@link CertificateLedger} that remembers them.
 */
final class EndedCertificates {
  private final Map<String, Ended> bySerial = new HashMap<>();

  /** By their numbers, in the order in which they ended. */
  private final Map<AgentId, Map<String, Ended>> byAgent = new HashMap<>();

  private final TreeSet<IssuedCertificate> byExpiry =
      new TreeSet<>(
          Comparator.comparing(IssuedCertificate::expiresAt)
              .thenComparing(IssuedCertificate::serial));

  void add(Ended ended) {
    IssuedCertificate which = ended.certificate();
    bySerial.put(which.serial(), ended);
    byAgent
        .computeIfAbsent(which.agentId(), id -> new LinkedHashMap<>())
        .put(which.serial(), ended);
    byExpiry.add(which);
  }

  Optional<Ended> find(String serial) {
    return Optional.ofNullable(bySerial.get(serial));
  }

  /** All of an agent, in the order in which they ended. */
  List<Ended> of(AgentId agentId) {
    return List.copyOf(byAgent.getOrDefault(agentId, Map.of()).values());
  }

  /** All, the first to be forgotten first. */
  List<Ended> list() {
    return byExpiry.stream().flatMap(each -> find(each.serial()).stream()).toList();
  }

  /** Forgets, and returns, those whose time was up before this one. */
  List<IssuedCertificate> forget(Instant expiredBefore) {
    List<IssuedCertificate> forgotten = new ArrayList<>();
    while (!byExpiry.isEmpty() && byExpiry.first().expiresAt().isBefore(expiredBefore)) {
      IssuedCertificate certificate = byExpiry.first();
      byExpiry.remove(certificate);
      bySerial.remove(certificate.serial());
      @Nullable Map<String, Ended> others = byAgent.get(certificate.agentId());
      if (others != null) {
        others.remove(certificate.serial());
        if (others.isEmpty()) {
          byAgent.remove(certificate.agentId());
        }
      }
      forgotten.add(certificate);
    }
    return forgotten;
  }
}
