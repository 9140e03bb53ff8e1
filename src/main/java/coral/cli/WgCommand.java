package coral.cli;

import coral.api.colony.v1.GetStatusResponse;
import coral.api.colony.v1.GetTopologyResponse;
import coral.api.colony.v1.Peer;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code coral wg}. */
@Command(
    name = "wg",
    description = "The colony's WireGuard device.",
    footer = {"Examples:", "  coral wg show"},
    subcommands = WgCommand.Show.class)
final class WgCommand extends CommandGroup {
  /** {@code coral wg show}. */
  @Command(
      name = "show",
      description = {
        "The hub's tunnels, as wg(8) shows them on a host that has the kernel's WireGuard: the one"
            + " with the latest handshake first."
      },
      footer = {
        "JSON: {wireguardPubkey, addresses[], peers: [{agentId, wireguardPubkey, endpoint,"
            + " lastHandshake,",
        "roundTripMilliseconds, receivedBytes, sentBytes, allowedIps[]}]}; bytes are the hub's;",
        "what is not known is null.",
        "",
        "Examples:",
        "  coral wg show",
        "  coral wg show -o json | jq -r '.peers[] | select(.endpoint == null) | .agentId'"
      })
  static final class Show implements Callable<Integer> {
    @Mixin private QueryOptions options = new QueryOptions();

    @Override
    public Integer call() {
      ColonyClient colony = options.connect();
      GetTopologyResponse topology = colony.topology();
      GetStatusResponse status = colony.status();
      return options.answer(
          () -> json(status, topology),
          screen -> text(status, topology, InstantSource.system().instant(), screen));
    }
  }

  private static List<Peer> sorted(GetTopologyResponse topology) {
    List<Peer> peers = new ArrayList<>(topology.getPeersList());
    peers.sort(
        Comparator.<Peer, Instant>comparing(
                peer -> Times.instant(peer.getLastHandshake()).orElse(Instant.MIN))
            .reversed()
            .thenComparing(Peer::getAgentId));
    return peers;
  }

  static String json(GetStatusResponse status, GetTopologyResponse topology) {
    return Json.object(
        json ->
            json.put("wireguardPubkey", status.getWireguardPubkey())
                .putStrings("addresses", List.of(status.getMeshIpv4(), status.getMeshIpv6()))
                .putObjects("peers", sorted(topology), TopologyCommand::put));
  }

  static String text(
      GetStatusResponse status, GetTopologyResponse topology, Instant now, Screen screen) {
    StringBuilder text = new StringBuilder();
    heading(text, screen, "interface", "hub of " + topology.getColonyId());
    field(text, screen, "public key", status.getWireguardPubkey());
    field(text, screen, "addresses", status.getMeshIpv4() + ", " + status.getMeshIpv6());
    for (Peer peer : sorted(topology)) {
      text.append('\n');
      heading(text, screen, "peer", peer.getWireguardPubkey());
      field(text, screen, "agent", peer.getAgentId());
      field(text, screen, "endpoint", peer.getEndpoint());
      field(text, screen, "allowed ips", String.join(", ", peer.getAllowedIpsList()));
      field(text, screen, "latest handshake", handshake(peer, now));
      if (peer.getReceivedBytes() != 0 || peer.getSentBytes() != 0) {
        field(
            text,
            screen,
            "transfer",
            bytes(peer.getReceivedBytes()) + " received, " + bytes(peer.getSentBytes()) + " sent");
      }
    }
    return text.toString();
  }

  private static void heading(StringBuilder text, Screen screen, String name, String value) {
    text.append(screen.paint(Paint.HEADING, name))
        .append(": ")
        .append(Table.printable(value))
        .append('\n');
  }

  /** wg(8) leaves out what is not known. */
  private static void field(StringBuilder text, Screen screen, String name, String value) {
    if (!value.isEmpty()) {
      text.append("  ");
      heading(text, screen, name, value);
    }
  }

  private static String handshake(Peer peer, Instant now) {
    return Times.instant(peer.getLastHandshake())
        .map(at -> ago(Duration.between(at.isAfter(now) ? now : at, now)))
        .orElse("");
  }

  /** {@code "1 minute, 12 seconds ago"}, as wg(8) has it. */
  static String ago(Duration age) {
    List<String> parts = new ArrayList<>();
    part(parts, age.toDays(), "day");
    part(parts, age.toHoursPart(), "hour");
    part(parts, age.toMinutesPart(), "minute");
    part(parts, age.toSecondsPart(), "second");
    return parts.isEmpty() ? "Now" : String.join(", ", parts) + " ago";
  }

  private static void part(List<String> parts, long count, String unit) {
    if (count > 0) {
      parts.add(count + " " + unit + (count == 1 ? "" : "s"));
    }
  }

  /** As wg(8): {@code "1.20 MiB"}. */
  private static String bytes(long count) {
    if (count < 1024) {
      return count + " B";
    }
    double value = count;
    String unit = "";
    for (String larger : new String[] {"KiB", "MiB", "GiB", "TiB"}) {
      if (value < 1024) {
        break;
      }
      value /= 1024;
      unit = larger;
    }
    return String.format(Locale.ROOT, "%.2f %s", value, unit);
  }
}
