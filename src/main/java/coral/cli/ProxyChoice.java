package coral.cli;

import coral.model.ColonyId;
import coral.proxy.ProxyDirectory;
import coral.proxy.ProxyState;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** The proxies of this user on this host, and which of them a command is about. */
final class ProxyChoice {
  private final Path home;

  ProxyChoice(CoralHome home) {
    this.home = home.directory();
  }

  ProxyDirectory of(ColonyId colony) {
    return ProxyDirectory.of(home, colony);
  }

  /**
   * The folders that there are, with what stands in each.
   *
   * @throws CommandFailedException if a state cannot be understood: then nobody knows whether that
   *     proxy runs
   */
  Map<ProxyDirectory, Optional<ProxyState>> all() {
    try {
      Map<ProxyDirectory, Optional<ProxyState>> all =
          new TreeMap<>((a, b) -> a.colonyId().value().compareTo(b.colonyId().value()));
      for (ProxyDirectory directory : ProxyDirectory.list(home)) {
        all.put(directory, directory.state());
      }
      return all;
    } catch (IOException e) {
      throw failed(e);
    }
  }

  /** Those that run. */
  List<ProxyState> running() {
    return all().values().stream()
        .flatMap(Optional::stream)
        .filter(state -> state.process().isAlive())
        .toList();
  }

  /** What stands in a folder. */
  static Optional<ProxyState> state(ProxyDirectory directory) {
    try {
      return directory.state();
    } catch (IOException e) {
      throw failed(e);
    }
  }

  /**
   * The proxy of the colony named, else the only one that runs.
   *
   * @param named an id, or its beginning up to a dash
   * @throws CommandFailedException if there is none, or no telling which
   */
  ProxyDirectory choose(Optional<String> named) {
    if (named.isPresent()) {
      List<ColonyId> known = all().keySet().stream().map(ProxyDirectory::colonyId).toList();
      return of(match(named.get(), known));
    }
    List<ProxyState> running = running();
    if (running.size() == 1) {
      return of(running.get(0).colonyId());
    }
    throw running.isEmpty()
        ? none("")
        : new CommandFailedException(
            running.size() + " proxies are running",
            "Say which: "
                + running.stream()
                    .map(state -> state.colonyId().value())
                    .collect(Collectors.joining(", "))
                + ".");
  }

  /**
   * The id that is meant: the only one known that begins so, else what is written.
   *
   * @throws CommandFailedException if several begin so, or it is no id
   */
  static ColonyId match(String named, List<ColonyId> known) {
    List<ColonyId> matching = new ArrayList<>();
    for (ColonyId id : known) {
      if (id.value().equals(named)) {
        return id;
      }
      if (id.value().startsWith(named + "-")) {
        matching.add(id);
      }
    }
    if (matching.size() > 1) {
      throw new CommandFailedException(
          "'" + named + "' may be any of " + matching, "Write the whole id.");
    }
    if (matching.size() == 1) {
      return matching.get(0);
    }
    try {
      return new ColonyId(named);
    } catch (IllegalArgumentException e) {
      throw new CommandFailedException(
          "'" + named + "' is no colony's id: " + e.getMessage(),
          "An id looks like my-app-prod-a3f2e1.",
          e);
    }
  }

  /**
   * There is no proxy.
   *
   * @param what of which colony, with a blank before it; may be empty
   */
  static CommandFailedException none(String what) {
    return new CommandFailedException(
        "no proxy" + what + " is running", "Start one with 'coral proxy start COLONY --daemon'.");
  }

  static CommandFailedException failed(IOException e) {
    return new CommandFailedException(
        String.valueOf(e.getMessage()), "Until then nobody can say whether a proxy runs.", e);
  }
}
