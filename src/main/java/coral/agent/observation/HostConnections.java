package coral.agent.observation;

import coral.linux.ConnectionTrackingTable;
import coral.linux.TrackedFlow;
import coral.model.MeshAddresses;
import coral.model.MeshSubnet;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Observes this host's connections with other members. Blocks for as long as the kernel writes its
 * tables: some milliseconds; with 100,000 sockets some hundred, with 262,144 tracked connections
 * about a second and a half. What it needs of memory does not grow with what is tracked.
 */
public final class HostConnections {
  /** Of one table: about 100,000 sockets. What comes after them is left out, and said to be. */
  private static final int MAX_SOCKET_BYTES = 16 << 20;

  /**
   * 262,144 entries, the kernel's own bound unless it is raised, of 390 bytes: IPv6 with bytes.
   * They are counted as they are read; none is kept.
   */
  private static final int MAX_TRACKED_BYTES = 100 << 20;

  /** As many as a file of that size has of the longest. */
  private static final int MAX_TRACKED_FLOWS = 262_144;

  /** How many entries the kernel has; not there without connection tracking. */
  private static final Path TRACKED_COUNT = Path.of("/proc/sys/net/netfilter/nf_conntrack_count");

  /**
   * Connection tracking where {@code /proc/net} does not show it. Asks only where something is
   * tracked: the question alone makes the kernel load modules.
   */
  static final Table<TrackedFlow> TRACKED_FLOWS =
      taker ->
          Files.readString(TRACKED_COUNT).strip().equals("0")
              || ConnectionTrackingTable.read(MAX_TRACKED_FLOWS, taker);

  /** What the kernel tells entry by entry. */
  interface Table<T> {
    /** Reads entries, and says whether these were all. */
    boolean read(Consumer<T> taker) throws IOException;
  }

  private final Path tables;
  private final int maxSocketBytes;
  private final int maxTrackedBytes;
  private final Table<TrackedFlow> flows;

  /** The tables of the network namespace that the calling thread is in. */
  public HostConnections() {
    this(Path.of("/proc/thread-self/net"), MAX_SOCKET_BYTES, MAX_TRACKED_BYTES, TRACKED_FLOWS);
  }

  /**
   * @param tables the directory of {@code tcp}, {@code tcp6} and {@code nf_conntrack}
   * @param flows asked where the last of them is not there
   */
  HostConnections(Path tables, int maxSocketBytes, int maxTrackedBytes, Table<TrackedFlow> flows) {
    this.tables = tables;
    this.maxSocketBytes = maxSocketBytes;
    this.maxTrackedBytes = maxTrackedBytes;
    this.flows = flows;
  }

  /**
   * What is connected now: sockets, and what connection tracking knows of them and beyond them
   * where rules of the host's firewall make the kernel track.
   *
   * @param own this host's addresses in the mesh
   * @return empty where the system shows neither, or this process may read neither
   */
  public Optional<Observation> observe(MeshAddresses own, MeshSubnet subnet) {
    OwnAddresses addresses = new OwnAddresses(own, subnet);
    TcpTable sockets = new TcpTable(addresses, ByteOrder.nativeOrder());
    Reading four = read("tcp", maxSocketBytes, sockets::line);
    Reading six = read("tcp6", maxSocketBytes, sockets::line); // not there without IPv6
    boolean allSockets = four == Reading.COMPLETE && six != Reading.INCOMPLETE;
    OpenConnections open = new OpenConnections(sockets, allSockets);
    ConnectionTracking tracked = new ConnectionTracking(addresses, open::add);
    Reading tracking =
        read(
            "nf_conntrack",
            maxTrackedBytes,
            new ConnectionTrackingFile(addresses, tracked::flow)::line);
    if (tracking == Reading.FAILED) {
      tracking = read(tracked::flow, flows);
    }
    if (four == Reading.FAILED && six == Reading.FAILED && !open.isTracked()) {
      return Optional.empty();
    }
    return Optional.of(
        open.observation(
            four == Reading.INCOMPLETE
                || six == Reading.INCOMPLETE
                || tracking == Reading.INCOMPLETE));
  }

  private enum Reading {
    COMPLETE,
    INCOMPLETE,
    FAILED
  }

  private Reading read(String table, int maxBytes, Consumer<String> lines) {
    return read(
        lines,
        taker -> {
          try (InputStream file = Files.newInputStream(tables.resolve(table))) {
            BoundedInput bounded = new BoundedInput(file, maxBytes);
            BufferedReader reader =
                new BufferedReader(new InputStreamReader(bounded, StandardCharsets.ISO_8859_1));
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
              taker.accept(line);
            }
            return !bounded.isExhausted();
          }
        });
  }

  /** No such system, or no right to know, is a failure; one in the midst leaves what was read. */
  private static <T> Reading read(Consumer<T> taker, Table<T> table) {
    boolean[] begun = {false};
    try {
      boolean complete =
          table.read(
              entry -> {
                begun[0] = true;
                taker.accept(entry);
              });
      return complete ? Reading.COMPLETE : Reading.INCOMPLETE;
    } catch (IOException e) {
      return begun[0] ? Reading.INCOMPLETE : Reading.FAILED;
    }
  }
}
