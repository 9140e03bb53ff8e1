package coral.agent;

import coral.model.Endpoint;
import coral.model.WireGuardKey;
import coral.proxy.Way;
import java.io.PrintStream;
import java.time.InstantSource;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Tells people how a proxy starts and how it is, as it happens (RFD 005, "CLI Commands" and
 * appendix E). What goes wrong is in the log, which people read at the same place.
 */
final class ProxyReport implements Consumer<AgentEvent> {
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("'['yyyy-MM-dd HH:mm:ss'] '", Locale.ROOT);

  /** Enough of a key to compare it by. */
  private static final int KEY_CHARACTERS = 8;

  private final AgentSettings settings;
  private final boolean isVerbose;
  private final InstantSource clock;
  private final PrintStream out;
  private boolean isRunning;

  ProxyReport(AgentSettings settings, InstantSource clock, PrintStream out) {
    this.settings = settings;
    this.isVerbose = settings.report() == ReportFormat.VERBOSE;
    this.clock = clock;
    this.out = out;
    line("Resolving colony: " + settings.colonyId());
    if (isVerbose) {
      step("Files: " + settings.directory());
    }
    if (settings.colonyEndpoint().isEmpty()) {
      settings.discovery().ifPresent(uri -> step("Querying discovery service at " + uri + "..."));
    }
  }

  @Override
  public void accept(AgentEvent event) {
    if (event instanceof AgentEvent.StepDone done) {
      if (!isRunning || isVerbose) {
        onStep(done);
      }
    } else if (event instanceof AgentEvent.Joined joined && isVerbose) {
      onJoined(joined.result());
    } else if (event instanceof AgentEvent.Failed failed && isVerbose) {
      step(failed.step().words() + " failed: " + failed.failure().message());
    } else if (event instanceof AgentEvent.Renewed renewed && isVerbose) {
      step(
          "Certificate renewed: "
              + renewed.certificateSerial()
              + ", good until "
              + renewed.certificateNotAfter());
    } else if (event instanceof AgentEvent.Forwarding forwarding) {
      onForwarding(forwarding.route());
    } else if (event instanceof AgentEvent.SessionLost lost) {
      line("✗ The colony is away: " + lost.reason().message());
    } else if (event instanceof AgentEvent.Stopped stopped) {
      line(stopped.reason().map(why -> "✗ No proxy: " + why.message()).orElse("✓ Proxy stopped"));
    }
    out.flush();
  }

  private void onStep(AgentEvent.StepDone done) {
    switch (done.step()) {
      case FIND_COLONY -> step("Colony endpoint: " + done.detail());
      case REGISTRATION_TOKEN -> verbose("Registration token of discovery");
      case CERTIFICATE -> {
        if (done.detail().isEmpty()) {
          verbose("Certificate of an earlier start");
        } else {
          step("Certificate of the colony, " + done.detail());
        }
      }
      case REACH_COLONY -> verbose("Colony reached at " + done.detail());
      case CREATE_INTERFACE ->
          verbose("WireGuard device " + done.detail() + ", with a key that no disk sees");
      case REGISTER -> {
        step("Registering as proxy peer...");
        step("Assigned mesh IPs: " + done.detail());
      }
      case ASSIGN_ADDRESSES -> {
        // told with the registration
      }
      case ADD_COLONY -> step("Establishing WireGuard tunnel to " + done.detail() + "...");
      case PROBE_TUNNEL -> verbose("Tunnel probed in " + done.took().toMillis() + " ms");
      case OPEN_SESSION -> verbose("Session with the colony opened");
    }
  }

  private void onJoined(JoinResult join) {
    Membership membership = join.membership();
    step("Colony:");
    branch("├─", "WireGuard endpoint: " + membership.colonyEndpoint(join.attempt().silences()));
    branch("├─", "WireGuard pubkey: " + shortened(membership.colonyKey()));
    branch("├─", "Mesh IPv4: " + membership.colony().ipv4Text());
    branch("├─", "Mesh IPv6: " + membership.colony().ipv6Text());
    branch("└─", "Connect port: " + join.endpoint().port());
    step("AllowedIPs: " + membership.subnet().ipv4() + ", " + membership.subnet().ipv6());
  }

  private void onForwarding(Route route) {
    Endpoint to = route.upstream().endpoints().get(0);
    if (!isRunning) {
      isRunning = true;
      line("✓ Proxy running on " + url(route.listen()));
      more("Forwarding to colony at " + to + " (" + route.upstream().way() + ")");
    } else {
      line("✓ Forwarding to colony at " + to + " (" + route.upstream().way() + ")");
    }
    Optional<String> reason = route.fallback();
    if (route.upstream().way() == Way.PUBLIC && reason.isPresent()) {
      more("Not over mesh: " + reason.get());
    }
  }

  private String url(Endpoint listen) {
    boolean isSecure = settings.proxy().orElseThrow().listener().remote().isPresent();
    Endpoint shown =
        listen.host().equals("127.0.0.1") ? new Endpoint("localhost", listen.port()) : listen;
    return (isSecure ? "https://" : "http://") + shown;
  }

  private static String shortened(WireGuardKey key) {
    return key.toString().substring(0, KEY_CHARACTERS) + "...";
  }

  private void verbose(String text) {
    if (isVerbose) {
      step(text);
    }
  }

  private void step(String text) {
    line(isVerbose ? text : " ↳ " + text);
  }

  private void branch(String mark, String text) {
    out.println("  " + mark + " " + text);
  }

  private void more(String text) {
    out.println("  " + text);
  }

  private void line(String text) {
    out.println(
        isVerbose ? TIME.format(clock.instant().atZone(ZoneId.systemDefault())) + text : text);
  }
}
