package coral.agent;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintStream;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;

/** Writes an agent's events for people, or for programs: one JSON object per line. */
final class EventWriter implements Consumer<AgentEvent> {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final ReportFormat format;
  private final PrintStream out;

  EventWriter(ReportFormat format, PrintStream out) {
    this.format = format;
    this.out = out;
  }

  @Override
  public void accept(AgentEvent event) {
    switch (format) {
      case NONE -> {
        // the log tells it
      }
      case TEXT, VERBOSE -> {
        String text = text(event);
        if (!text.isEmpty()) {
          out.println(text);
        }
      }
      case JSON -> {
        if (!(event instanceof AgentEvent.SessionLost)) { // what follows tells it
          out.println(json(event));
        }
      }
    }
    out.flush();
  }

  private static String text(AgentEvent event) {
    if (event instanceof AgentEvent.StepDone done) {
      return String.format(
          Locale.ROOT, "%-20s %8.1f ms", done.step().words(), milliseconds(done.took()));
    }
    if (event instanceof AgentEvent.Failed failed) {
      return failed.step().words() + " failed: " + failed.failure().message();
    }
    if (event instanceof AgentEvent.Joined joined) {
      return text(joined.report());
    }
    if (event instanceof AgentEvent.Renewed renewed) {
      return String.format(
          Locale.ROOT,
          "%-20s %s, good until %s",
          "certificate renewed",
          renewed.certificateSerial(),
          renewed.certificateNotAfter());
    }
    if (event instanceof AgentEvent.Forwarding forwarding) {
      return String.format(Locale.ROOT, "%-20s %s", "proxy", forwarding.route());
    }
    if (event instanceof AgentEvent.Stopped stopped) {
      return stopped.reason().isPresent() ? "stopped" : "left";
    }
    return ""; // probes fill a terminal
  }

  private static String text(JoinReport report) {
    StringBuilder text = new StringBuilder();
    line(text, "agent", report.agentId() + " of colony " + report.colonyId());
    line(
        text,
        "interface",
        report.interfaceName() + (report.onHost() ? "" : " (inside this process)"));
    line(text, "address IPv4", report.addresses().ipv4Text());
    line(text, "address IPv6", report.addresses().ipv6Text());
    line(
        text,
        "certificate",
        report.certificateSerial()
            + ", good until "
            + report.certificateNotAfter()
            + report.certificatePaidWith().map(payment -> ", paid for by " + payment).orElse(""));
    line(text, "round trip IPv4", orNone(report.probe().ipv4(), "no answer"));
    line(text, "round trip IPv6", orNone(report.probe().ipv6(), "no answer"));
    line(text, "last handshake", orNone(report.probe().handshakeAge(), "none") + " ago");
    report.took().ifPresent(took -> line(text, "join", orNone(Optional.of(took), "")));
    return text.toString().stripTrailing();
  }

  private static void line(StringBuilder text, String name, String value) {
    text.append(String.format(Locale.ROOT, "%-20s %s%n", name, value));
  }

  private static String orNone(Optional<Duration> duration, String none) {
    return duration.map(d -> String.format(Locale.ROOT, "%.1f ms", milliseconds(d))).orElse(none);
  }

  private static ObjectNode json(AgentEvent event) {
    ObjectNode json = JSON.createObjectNode();
    if (event instanceof AgentEvent.StepDone done) {
      json.put("event", "step").put("name", done.step().words());
      json.put("milliseconds", milliseconds(done.took()));
    } else if (event instanceof AgentEvent.Failed failed) {
      json.put("event", "failed").put("name", failed.step().words());
      json.put("kind", failed.failure().kind().name());
      json.put("message", failed.failure().message());
      put(json, "retryInMilliseconds", failed.retryIn());
    } else if (event instanceof AgentEvent.Joined joined) {
      report(json.put("event", "joined"), joined.report());
    } else if (event instanceof AgentEvent.Renewed renewed) {
      json.put("event", "renewed").put("certificateSerial", renewed.certificateSerial());
      json.put("certificateNotAfter", renewed.certificateNotAfter().toString());
    } else if (event instanceof AgentEvent.Probed probed) {
      probe(json.put("event", "probe"), probed.result());
    } else if (event instanceof AgentEvent.Forwarding forwarding) {
      Route route = forwarding.route();
      json.put("event", "proxy").put("listen", route.listen().toString());
      json.put("forwardsTo", route.upstream().endpoints().get(0).toString());
      json.put("way", route.upstream().way().name().toLowerCase(Locale.ROOT));
      json.put("role", route.upstream().role().wireName());
      json.put("fallback", route.fallback().orElse(null));
    } else if (event instanceof AgentEvent.Stopped stopped) {
      json.put("event", "stopped").put("exitCode", stopped.reason().isPresent() ? 1 : 0);
      stopped.reason().ifPresent(failure -> json.put("message", failure.message()));
    }
    return json;
  }

  private static void report(ObjectNode json, JoinReport report) {
    json.put("agentId", report.agentId().value());
    json.put("colonyId", report.colonyId().value());
    json.put("interfaceName", report.interfaceName());
    json.put("device", report.onHost() ? "tun" : "user-space");
    json.put("ipv4", report.addresses().ipv4Text());
    json.put("ipv6", report.addresses().ipv6Text());
    json.put("colonyIpv4", report.probe().target().ipv4Text());
    json.put("colonyIpv6", report.probe().target().ipv6Text());
    json.put("certificateSerial", report.certificateSerial());
    json.put("certificateNotAfter", report.certificateNotAfter().toString());
    json.put("certificatePaidWith", report.certificatePaidWith().orElse(null));
    put(json, "joinMilliseconds", report.took());
    probe(json, report.probe());
    ArrayNode steps = json.putArray("steps");
    for (JoinReport.StepTime step : report.steps()) {
      steps
          .addObject()
          .put("name", step.step().words())
          .put("milliseconds", milliseconds(step.took()));
    }
  }

  private static void probe(ObjectNode json, ProbeResult probe) {
    put(json, "roundTripIpv4Milliseconds", probe.ipv4());
    put(json, "roundTripIpv6Milliseconds", probe.ipv6());
    if (probe.handshakeAge().isPresent()) {
      json.put("handshakeAgeSeconds", milliseconds(probe.handshakeAge().get()) / 1e3);
    } else {
      json.putNull("handshakeAgeSeconds");
    }
  }

  private static void put(ObjectNode json, String name, Optional<Duration> duration) {
    if (duration.isPresent()) {
      json.put(name, milliseconds(duration.get()));
    } else {
      json.putNull(name);
    }
  }

  /** With microseconds after the point. */
  private static double milliseconds(Duration duration) {
    return Math.round(duration.toNanos() / 1e3) / 1e3;
  }
}
