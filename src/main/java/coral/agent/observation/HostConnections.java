package coral.agent.observation;

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
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Observes this host's connections with other members. Blocks for as long as the kernel writes its
 * tables: some milliseconds, on a host with 100,000 sockets some hundred.
 */
public final class HostConnections {
  /** Of one table: about 100,000 sockets. What comes after them is left out, and said to be. */
  private static final int MAX_BYTES = 16 << 20;

  private final Path tables;
  private final int maxBytes;

  /** The tables of the network namespace that the calling thread is in. */
  public HostConnections() {
    this(Path.of("/proc/thread-self/net"), MAX_BYTES);
  }

  HostConnections(Path tables, int maxBytes) {
    this.tables = tables;
    this.maxBytes = maxBytes;
  }

  /**
   * What is connected now. Connection tracking is asked first; it shows nothing where no rule of
   * the host's firewall makes the kernel track, and then the table of sockets counts.
   *
   * @param own this host's addresses in the mesh
   * @return empty where the system shows neither, or this process may read neither
   */
  public Optional<Observation> observe(MeshAddresses own, MeshSubnet subnet) {
    OwnAddresses addresses = new OwnAddresses(own, subnet);
    ConnectionTracking tracked = new ConnectionTracking(addresses);
    Reading tracking = read("nf_conntrack", tracked::line);
    List<ObservedConnection> connections = tracked.connections();
    if (!connections.isEmpty()) {
      return Optional.of(
          Observation.of(ConnectionTracking.EVIDENCE, connections, tracking == Reading.INCOMPLETE));
    }
    TcpTable table = new TcpTable(addresses, ByteOrder.nativeOrder());
    Reading four = read("tcp", table::line);
    Reading six = read("tcp6", table::line);
    if (four == Reading.FAILED && six == Reading.FAILED) {
      return Optional.empty();
    }
    return Optional.of(
        Observation.of(
            TcpTable.EVIDENCE,
            table.connections(),
            four == Reading.INCOMPLETE || six == Reading.INCOMPLETE));
  }

  private enum Reading {
    COMPLETE,
    INCOMPLETE,
    FAILED
  }

  private Reading read(String table, Consumer<String> lines) {
    try (InputStream file = Files.newInputStream(tables.resolve(table))) {
      BoundedInput bounded = new BoundedInput(file, maxBytes);
      BufferedReader reader =
          new BufferedReader(new InputStreamReader(bounded, StandardCharsets.ISO_8859_1));
      for (String line = reader.readLine(); line != null; line = reader.readLine()) {
        lines.accept(line);
      }
      return bounded.isExhausted() ? Reading.INCOMPLETE : Reading.COMPLETE;
    } catch (IOException e) {
      return Reading.FAILED; // no such system, or no right to read it
    }
  }
}
