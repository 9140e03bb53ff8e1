package coral.certificate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.model.AgentId;
import coral.model.Secret;
import coral.testing.Requirements;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Case S7: keys in a device that they never leave. The device is SoftHSM2, which reads where its
 * tokens are from the environment; so the test runs itself in a process with that environment.
 */
class Pkcs11KeysTest {
  private static final String PIN = "1234-of-the-test";

  @TempDir static Path directory;

  private static Path library = Path.of("none");
  private static long slot;

  /** Makes a token, in this process's only SoftHSM. */
  @BeforeAll
  static void makeToken() throws Exception {
    Optional<Path> found =
        Stream.of(
                "/usr/lib/softhsm/libsofthsm2.so",
                "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
                "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so")
            .map(Path::of)
            .filter(Files::isRegularFile)
            .findFirst();
    Requirements.SOFTHSM.check(found.isPresent(), "softhsm2 is not installed");
    library = found.orElseThrow();
  }

  @Test
  void anAuthorityLivesInADeviceAndItsKeysNeverLeaveIt() throws Exception {
    Path tokens = Files.createDirectory(directory.resolve("tokens"));
    Path settings =
        Files.writeString(
            directory.resolve("softhsm2.conf"),
            "directories.tokendir = "
                + tokens
                + "\nobjectstore.backend = file\nlog.level = ERROR\n");
    String made =
        run(
            settings,
            "softhsm2-util",
            "--init-token",
            "--free",
            "--label",
            "coral",
            "--so-pin",
            "5678-of-the-test",
            "--pin",
            PIN);
    Matcher number = Pattern.compile("reassigned to slot (\\d+)").matcher(made);
    assertTrue(number.find(), made);
    slot = Long.parseLong(number.group(1));
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), InDevice.class.getName()));
    command.addAll(List.of(library.toString(), String.valueOf(slot), directory.toString()));
    for (String step : List.of("make", "use")) {
      List<String> stepped = new ArrayList<>(command);
      stepped.add(step);
      String output = run(settings, stepped.toArray(new String[0]));
      assertTrue(output.endsWith(step + " done\n"), output);
      assertFalse(output.contains(PIN), "the PIN must not be shown");
    }
    try (Stream<Path> files = Files.list(directory.resolve("colony"))) {
      assertEquals(
          List.of("ca-cert.pem", "ca.json"),
          files.map(file -> file.getFileName().toString()).sorted().toList(),
          "no key on disk");
    }
  }

  @Test
  void aDeviceThatIsNotThereIsNamed() {
    Path missing = directory.resolve("no.so");
    IOException refused =
        assertThrows(IOException.class, () -> Pkcs11Keys.open(missing, 0, new Secret(PIN)));
    assertTrue(String.valueOf(refused.getMessage()).contains("no.so"), refused::getMessage);
  }

  private static String run(Path settings, String... command) throws Exception {
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("SOFTHSM2_CONF", settings.toString());
    Process process = builder.start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertTrue(process.waitFor(60, TimeUnit.SECONDS));
    return output;
  }

  /** What the test does where the device is. */
  static final class InDevice {
    private InDevice() {}

    @SuppressWarnings("SystemOut") // read by the test
    public static void main(String[] arguments) throws Exception {
      Path library = Path.of(arguments[0]);
      long slot = Long.parseLong(arguments[1]);
      Path colony = Path.of(arguments[2]).resolve("colony");
      if (arguments[3].equals("make")) {
        make(library, slot, colony);
      } else {
        use(library, slot, colony);
      }
      System.out.println(arguments[3] + " done");
    }

    private static void make(Path library, long slot, Path colony) throws Exception {
      IOException wrong =
          assertThrows(
              IOException.class, () -> Pkcs11Keys.open(library, slot, new Secret("wrong-pin")));
      assertTrue(String.valueOf(wrong.getMessage()).contains("CKR_PIN"), wrong::getMessage);
      assertFalse(String.valueOf(wrong).contains("wrong-pin"));
      Pkcs11Keys keys = Pkcs11Keys.open(library, slot, new Secret(PIN));
      Authority authority =
          Authority.create(Roots.COLONY, colony, keys, KeyType.RSA_2048, Roots.CLOCK);
      sign(authority);
    }

    /** In another process: what was kept is there. */
    private static void use(Path library, long slot, Path colony) throws Exception {
      Pkcs11Keys keys = Pkcs11Keys.open(library, slot, new Secret(PIN));
      Authority authority = Authority.load(colony, keys);
      sign(authority);
      for (String name : List.of("ca", "ca-server-1", "ca-agent-1")) {
        PrivateKey key = keys.get(name).orElseThrow();
        assertNull(key.getEncoded(), "a key that can be read out");
      }
      assertTrue(
          authority.renewIntermediates(KeyType.P_256, Roots.NOW.plus(Duration.ofDays(366))),
          "intermediates of another type, in the device too");
      sign(Authority.load(colony, keys));
      keys.remove("ca");
      assertTrue(keys.get("ca").isEmpty());
      assertFalse(Authority.load(colony, keys).isRootOnline(), "the root's key was taken away");
    }

    private static void sign(Authority authority) throws Exception {
      X509Certificate leaf =
          authority.issue(
              CertificateProfile.agent(Roots.COLONY, new AgentId("web")),
              KeyType.P_256.generate().getPublic(),
              Roots.NOW,
              Duration.ofDays(1));
      X509Certificate issuer = authority.chain(leaf).get(1);
      leaf.verify(issuer.getPublicKey());
      issuer.verify(authority.certificate().getPublicKey());
      assertTrue(authority.signedClient(leaf));
    }
  }
}
