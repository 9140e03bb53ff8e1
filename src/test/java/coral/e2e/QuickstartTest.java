package coral.e2e;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import coral.testing.NetworkTopology;
import java.io.File;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Issue 2, section 2: {@code quickstart} as a user runs it. */
@Timeout(180)
class QuickstartTest {
  private static final Pattern QUERY =
      Pattern.compile("CORAL_HOME=(\\S+) ./coral status --endpoint (\\S+)");

  private static final String HEAP = "-Xmx256m";
  private static final int NOBODY = 65534;

  @TempDir Path temporary;

  @Test
  void inNamespacesItCanBeAskedFromTheHostAndLeavesNothingBehindOnSigterm() throws Exception {
    NetworkTopology.assumePossible();
    Host before = Host.now();
    try (ChildProcess quickstart = start("--agents", "2")) {
      quickstart.awaitLine("Ctrl-C ends everything");
      String said = quickstart.out();
      assertTrue(said.contains("in network namespaces"), said);
      assertTrue(said.contains("every agent pinged its neighbour"), said);
      assertEquals(before, Host.now(), "the host is not touched");

      Matcher query = QUERY.matcher(said);
      assertTrue(query.find(), said);
      JsonNode agents = ask(query, "agents").get("agents");
      assertEquals(2, agents.size(), agents::toString);
      for (JsonNode agent : agents) {
        assertTrue(agent.get("connected").asBoolean(), agent::toString);
        assertTrue(said.contains(agent.get("meshIpv4").asText()), agent::toString);
        assertTrue(said.contains(agent.get("meshIpv6").asText()), agent::toString);
        assertTrue(said.contains(agent.get("certificateSerial").asText()), agent::toString);
      }
      assertEquals("running", ask(query, "status").get("status").asText());
      assertEquals(2, ask(query, "allocations").get("total").asInt());

      Set<ProcessHandle> children = quickstart.descendants();
      assertTrue(children.size() >= 4, "discovery, colony, two agents: " + children);
      quickstart.terminate();
      assertEquals(0, quickstart.awaitExit(), quickstart::err);
      assertEnded(children);
    }
    assertEquals(List.of(), remains());
    assertEquals(before, Host.now());
  }

  /** As a user without rights if this one has them, and in a folder of that user's. */
  @Test
  void withoutRightsItVerifiesInUserSpaceAndLeavesNothingBehind() throws Exception {
    Host before = Host.now();
    try (ChildProcess quickstart = startUnprivileged("--agents", "2", "--once", "-o", "json")) {
      assertEquals(0, quickstart.awaitExit(), quickstart::err);
      String out = quickstart.out();
      JsonNode mesh = new ObjectMapper().readTree(out);
      assertFalse(mesh.get("namespaces").asBoolean());
      assertEquals(0, mesh.get("problems").size(), out);
      Set<String> addresses = new HashSet<>();
      for (JsonNode agent : mesh.get("agents")) {
        addresses.add(agent.get("ipv4").asText());
        addresses.add(agent.get("ipv6").asText());
        assertTrue(agent.get("roundTripIpv4Milliseconds").asDouble() > 0, out);
        assertTrue(agent.get("roundTripIpv6Milliseconds").asDouble() > 0, out);
        assertTrue(agent.get("joinMilliseconds").asDouble() > 0, out);
      }
      assertEquals(4, addresses.size(), out);
      assertTrue(
          quickstart.err().contains("every tunnel ends inside its process"), quickstart::err);
    }
    assertEquals(List.of(), remains());
    assertEquals(before, Host.now());
  }

  /** Ctrl-C in the middle of a start, which is harder than after it. */
  @Test
  void killedItTakesItsProcessesAlongAndTheNextOneDeletesItsFilesAndObeysCtrlC() throws Exception {
    try (ChildProcess quickstart = start("--agents", "1", "--user-space")) {
      quickstart.awaitLine("the colony is ready");
      Set<ProcessHandle> children = quickstart.descendants();
      assertTrue(children.size() >= 2, "discovery and colony: " + children);
      quickstart.kill();
      assertEnded(children);
    }
    assertEquals(1, remains().size(), "what is left of a killed one");
    List<String> left = remains();
    try (ChildProcess next = start("--user-space")) {
      next.awaitLine("discovery answers");
      assertEquals(1, remains().size());
      assertNotEquals(left, remains(), "the killed one's files are gone, its own are here");
      next.interrupt();
      assertEquals(0, next.awaitExit(), next::err);
      assertEquals("", next.err(), "an end that was asked for is no failure");
    }
    assertEquals(List.of(), remains());
  }

  private ChildProcess start(String... options) throws IOException {
    String[] arguments =
        Stream.concat(Stream.of("quickstart"), Stream.of(options)).toArray(String[]::new);
    // A setting of the user's must not reach the quickstart's own processes.
    return ChildRuntime.of(temporary, HEAP)
        .start(Map.of("CORAL_SUBNET_IPV4", "192.0.2.0/30"), arguments);
  }

  private ChildProcess startUnprivileged(String... options) throws IOException {
    if (!Files.getOwner(Path.of("/proc/self")).getName().equals("root")) {
      return start(options);
    }
    // Nobody may enter root's own folders, where the libraries are: they get second names.
    Path libraries = Files.createDirectory(temporary.resolve("libraries"));
    List<String> classPath = new ArrayList<>();
    for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
      Path path = Path.of(entry).toAbsolutePath();
      Path link = libraries.resolve(classPath.size() + "-" + path.getFileName());
      if (Files.exists(path)) {
        linkAll(path, link);
        classPath.add(link.toString());
      }
    }
    open(libraries);
    Path home = Files.createDirectory(temporary.resolve("home"));
    Files.setPosixFilePermissions(temporary, PosixFilePermissions.fromString("rwx--x--x"));
    Files.setAttribute(home, "unix:uid", NOBODY);
    return new ChildRuntime(
            List.of(
                "setpriv",
                "--reuid=" + NOBODY,
                "--regid=" + NOBODY,
                "--clear-groups",
                "--no-new-privs"),
            String.join(File.pathSeparator, classPath),
            Optional.empty(),
            home,
            List.of(HEAP))
        .start(
            Map.of("HOME", home.toString()),
            Stream.concat(Stream.of("quickstart"), Stream.of(options)).toArray(String[]::new));
  }

  /** Gives a file, or all files of a folder, second names below another folder. */
  private static void linkAll(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.toList()) {
        Path target = to.resolve(from.relativize(file).toString());
        if (Files.isDirectory(file)) {
          Files.createDirectories(target);
          open(target);
        } else {
          linkOrCopy(file, file.equals(from) ? to : target);
        }
      }
    }
  }

  /** For everybody, whatever umask the tests before this one have left. */
  private static void open(Path folder) throws IOException {
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private static void linkOrCopy(Path file, Path target) throws IOException {
    try {
      Files.createLink(target, file.toRealPath());
    } catch (FileSystemException e) { // another file system
      Files.copy(file, target, StandardCopyOption.COPY_ATTRIBUTES);
    }
  }

  private JsonNode ask(Matcher query, String command) throws Exception {
    Map<String, String> environment = Map.of("CORAL_HOME", query.group(1));
    try (ChildProcess asked =
        ChildRuntime.of(temporary, HEAP)
            .start(environment, command, "--endpoint", query.group(2), "-o", "json")) {
      assertEquals(0, asked.awaitExit(), asked::err);
      return new ObjectMapper().readTree(asked.out());
    }
  }

  private static void assertEnded(Set<ProcessHandle> children) throws Exception {
    for (ProcessHandle child : children) {
      child.onExit().get(ChildProcess.PATIENCE.toSeconds(), TimeUnit.SECONDS);
    }
  }

  /** What quickstarts have left, here or in the folder of nobody. */
  private List<String> remains() throws IOException {
    try (Stream<Path> files = Files.walk(temporary, 2)) {
      return files
          .filter(file -> file.getFileName().toString().startsWith("coral-"))
          .map(Path::toString)
          .toList();
    }
  }

  /** What a quickstart must leave alone. */
  private record Host(NetworkState network, String resolver) {
    static Host now() throws IOException {
      Path file = Path.of("/etc/resolv.conf");
      return new Host(NetworkState.now(), Files.exists(file) ? Files.readString(file) : "none");
    }
  }
}
