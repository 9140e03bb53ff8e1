package coral.certificate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.certificate.AuthorityRotation.Fleet;
import coral.files.Pem;
import coral.model.AgentId;
import coral.model.Failure;
import coral.model.RefusedException;
import coral.testing.Openssl;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** One root follows another, and no agent is refused meanwhile. */
class AuthorityRotationTest {
  private static final Fleet READY = new Fleet(3, 3, 3);

  @TempDir Path directory;

  private Path home = Path.of("none");
  private KeyFiles keys = new KeyFiles(home);
  private Authority authority = Roots.QUICK;
  private AuthorityRotation rotation = rotation(authority);

  @BeforeEach
  void make() throws IOException {
    home = directory.resolve("colony");
    keys = new KeyFiles(home);
    authority = Authority.create(Roots.COLONY, home, keys, KeyType.P_256, Roots.CLOCK);
    rotation = rotation(authority);
  }

  private static AuthorityRotation rotation(Authority authority) {
    return new AuthorityRotation(authority, KeyType.P_256, Roots.CLOCK);
  }

  @Test
  void aRootIsPreparedDistributedActiveDrainingAndRetiredAndEachPhaseSurvivesARestart()
      throws Exception {
    X509Certificate first = authority.certificate();
    X509Certificate before = agent(authority);
    List<String> seen = new ArrayList<>();
    authority.onChange(() -> seen.add(String.valueOf(rotation.phase())));
    record Expected(RotationPhase phase, long version, int trusted, String former, String next) {}
    List<Expected> expected =
        List.of(
            new Expected(RotationPhase.PREPARED, 2, 2, "active", "prepared"),
            new Expected(RotationPhase.DISTRIBUTED, 2, 2, "active", "distributed"),
            new Expected(RotationPhase.ACTIVE, 2, 2, "active", "active"),
            new Expected(RotationPhase.DRAINING, 2, 2, "draining", "active"),
            new Expected(RotationPhase.RETIRED, 3, 1, "retired", "active"));
    for (Expected phase : expected) {
      assertEquals(phase.phase(), rotation.forward(READY, false));
      for (Authority now : List.of(authority, Authority.load(home, keys))) {
        assertEquals(phase.phase(), rotation(now).phase());
        assertEquals(phase.version(), now.trustBundle().version());
        assertEquals(phase.trusted(), now.trustBundle().roots().size());
        assertEquals(now.certificate(), now.trustBundle().roots().get(0), "what signs is first");
        List<AuthorityRotation.Standing> roots =
            rotation(now).authorities().stream().filter(a -> a.kind().equals("root")).toList();
        assertEquals(phase.former(), roots.get(0).state());
        assertEquals(phase.next(), roots.get(1).state());
        boolean isRetired = phase.phase() == RotationPhase.RETIRED;
        assertEquals(!isRetired, now.signedClient(before), "what the former root signed");
        X509Certificate leaf = agent(now);
        assertTrue(now.signedClient(leaf));
        assertEquals(
            phase.phase().nextSigns(), !now.certificate().equals(first), "which root signs");
        now.chain(leaf).get(1).verify(now.certificate().getPublicKey());
        assertEquals(
            Pem.encode(now.trustBundle().roots()),
            Files.readString(home.resolve(Authority.CERTIFICATE_FILE)));
      }
    }
    assertEquals("[PREPARED, DISTRIBUTED, ACTIVE, DRAINING, RETIRED]", String.valueOf(seen));

    assertEquals(RotationPhase.PREPARED, rotation.forward(READY, false), "and yet another");
    assertFalse(Files.exists(home.resolve(Authority.KEY_FILE)), "of the first root");
    assertEquals(4, authority.trustBundle().version());
    assertNotEquals(first, authority.certificate());
  }

  @Test
  void everyPhaseGoesBackAndForthWithoutLosingAnAgent() throws Exception {
    X509Certificate byFormer = agent(authority);
    assertThrows(RefusedException.class, rotation::back);
    for (int i = 0; i < 5; i++) {
      rotation.forward(READY, false);
    }
    X509Certificate byNext = agent(authority);
    assertEquals(RotationPhase.DRAINING, rotation.back());
    assertEquals(4, authority.trustBundle().version(), "the former root is trusted again");
    assertEquals(RotationPhase.ACTIVE, rotation.back());
    assertEquals(RotationPhase.DISTRIBUTED, rotation.back());
    assertEquals(RotationPhase.PREPARED, rotation.back());
    Authority loaded = Authority.load(home, keys);
    for (Authority now : List.of(authority, loaded)) {
      assertTrue(now.signedClient(byFormer));
      assertTrue(now.signedClient(byNext));
      assertEquals(now.chain(byFormer).get(1), now.chain(agent(now)).get(1), "as at the beginning");
    }
    assertEquals(RotationPhase.STABLE, rotation.back());
    assertFalse(authority.signedClient(byNext));
    assertTrue(authority.signedClient(byFormer));
    try (Stream<Path> files = Files.list(home)) {
      assertEquals(
          List.of(
              "ca-agent-1-key.pem", "ca-cert.pem", "ca-key.pem", "ca-server-1-key.pem", "ca.json"),
          files.map(file -> file.getFileName().toString()).sorted().toList());
    }
    rotation.forward(READY, false);
    assertEquals(6, authority.trustBundle().version(), "never one that there was before");
  }

  @Test
  void itWaitsForAgentsThatAreMissingUnlessItIsForced() throws Exception {
    rotation.forward(new Fleet(3, 0, 0), false);
    assertMissing(new Fleet(3, 2, 0), "1 of 3 agents do not have the trust bundle");
    assertEquals(RotationPhase.DISTRIBUTED, rotation.forward(new Fleet(3, 3, 0), false));
    assertMissing(new Fleet(4, 3, 0), "1 of 4 agents do not have the trust bundle");
    assertEquals(RotationPhase.ACTIVE, rotation.forward(new Fleet(4, 3, 0), true));
    assertEquals(RotationPhase.DRAINING, rotation.forward(new Fleet(4, 4, 0), false));
    assertMissing(new Fleet(4, 4, 2), "2 of 4 agents have a certificate of the former root");
    assertEquals(RotationPhase.RETIRED, rotation.forward(new Fleet(4, 4, 2), true));
  }

  private void assertMissing(Fleet fleet, String message) {
    RotationPhase before = rotation.phase();
    RefusedException refused =
        assertThrows(RefusedException.class, () -> rotation.forward(fleet, false));
    assertEquals(Failure.FAILED_PRECONDITION, refused.refused().failure());
    assertTrue(refused.refused().message().contains(message), refused::getMessage);
    assertEquals(before, rotation.phase());
  }

  /** Who trusts one of the roots only reaches what either has signed. */
  @Test
  void theRootsAreCrossSignedByEachOther() throws Exception {
    Openssl.require();
    rotation.forward(READY, false);
    List<Path> roots = new ArrayList<>();
    for (X509Certificate root : authority.trustBundle().roots()) {
      roots.add(Files.writeString(directory.resolve("root-" + roots.size()), Pem.encode(root)));
    }
    assertReached(roots); // the new one vouches for the former one too
    rotation.forward(READY, false);
    rotation.forward(READY, false);
    assertReached(roots);
  }

  private void assertReached(List<Path> roots) throws Exception {
    X509Certificate server =
        authority.issue(
            CertificateProfile.server(Roots.COLONY),
            Roots.EC.getPublic(),
            Roots.NOW,
            Duration.ofDays(90));
    List<X509Certificate> presented = authority.presented(server);
    assertEquals(6, presented.size(), "leaf, intermediate, both roots, each by the other too");
    assertTrue(authority.presents(presented));
    Path chain = Files.writeString(directory.resolve("chain.pem"), Pem.encode(presented));
    for (Path root : roots) {
      String output =
          Openssl.run(
              "verify",
              "-x509_strict",
              "-attime",
              String.valueOf(Roots.NOW.getEpochSecond()),
              "-purpose",
              "sslserver",
              "-CAfile",
              root.toString(),
              "-untrusted",
              chain.toString(),
              chain.toString());
      assertTrue(output.endsWith(": OK\n"), output);
    }
  }

  /** Keys that fail where a process could die: after some were kept, before the state was. */
  private final class Dying implements AuthorityKeys {
    private int puts;

    private Dying(int puts) {
      this.puts = puts;
    }

    @Override
    public KeyPair generate(KeyType type) {
      return keys.generate(type);
    }

    @Override
    public void put(String name, PrivateKey key, X509Certificate certificate) throws IOException {
      if (puts-- == 0) {
        throw new IOException("no space left on device");
      }
      keys.put(name, key, certificate);
    }

    @Override
    public Optional<PrivateKey> get(String name) throws IOException {
      return keys.get(name);
    }

    @Override
    public void remove(String name) throws IOException {
      throw new IOException("read-only file system");
    }

    @Override
    public String description() {
      return keys.description();
    }
  }

  @Test
  void aCrashWhileARootIsMadeLosesNothing() throws Exception {
    X509Certificate root = authority.certificate();
    X509Certificate leaf = agent(authority);
    for (int puts = 0; puts < 3; puts++) {
      Authority dying = Authority.load(home, new Dying(puts));
      assertThrows(IOException.class, () -> rotation(dying).forward(READY, false));
      for (Authority now : List.of(dying, Authority.load(home, keys))) {
        assertEquals(RotationPhase.STABLE, rotation(now).phase());
        assertEquals(root, now.certificate());
        assertTrue(now.signedClient(leaf) && now.signedClient(agent(now)));
      }
    }
    Authority again = Authority.load(home, keys);
    assertEquals(RotationPhase.PREPARED, rotation(again).forward(READY, false));
    assertEquals(RotationPhase.PREPARED, rotation(Authority.load(home, keys)).phase());
  }

  @Test
  void aKeyThatCannotBeDestroyedDoesNotHoldTheRotationUp() throws Exception {
    Authority clumsy = Authority.load(home, new Dying(100));
    rotation(clumsy).forward(READY, false);
    assertEquals(RotationPhase.STABLE, rotation(clumsy).back());
    assertEquals(RotationPhase.STABLE, rotation(Authority.load(home, keys)).phase());
    assertEquals(
        RotationPhase.PREPARED, rotation(Authority.load(home, keys)).forward(READY, false));
  }

  @Test
  void withoutTheRootsKeyNoRootIsPreparedAndEverythingElseGoesOn() throws Exception {
    Path elsewhere = directory.resolve("safe.pem");
    Files.move(home.resolve(Authority.KEY_FILE), elsewhere);
    IOException refused = assertThrows(IOException.class, () -> rotation.forward(READY, false));
    assertTrue(String.valueOf(refused.getMessage()).contains("bring it back"), refused::getMessage);
    Files.move(elsewhere, home.resolve(Authority.KEY_FILE));
    rotation.forward(READY, false);
    Files.move(home.resolve(Authority.KEY_FILE), elsewhere);
    Files.move(home.resolve("ca-2-key.pem"), directory.resolve("safe-2.pem"));
    for (int i = 0; i < 4; i++) {
      rotation.forward(READY, false);
    }
    assertEquals(RotationPhase.RETIRED, rotation.phase(), "no step needs the key of a root");
    assertTrue(Authority.load(home, keys).signedClient(agent(authority)));
    assertFalse(authority.isRootOnline());
  }

  /** A state that somebody has changed by hand is not used. */
  @Test
  void aDamagedStateIsRefusedByName() throws Exception {
    Path state = home.resolve(AuthorityStateFile.NAME);
    String text = Files.readString(state);
    for (String damaged :
        List.of(
            text.replace("\"STABLE\"", "\"ACTIVE\""),
            text.replace("\"STABLE\"", "\"SIDEWAYS\""),
            text.replace("\"CLIENT\"", "\"SERVER\""),
            text.replace("\"form\" : 1", "\"form\" : 2"),
            text.substring(0, text.length() / 2),
            "")) {
      assertNotEquals(text, damaged);
      Files.writeString(state, damaged);
      IOException refused =
          assertThrows(IOException.class, () -> Authority.load(home, keys), damaged);
      assertTrue(String.valueOf(refused.getMessage()).contains("ca.json"), refused::getMessage);
    }
  }

  private static X509Certificate agent(Authority authority) {
    return authority.issue(
        CertificateProfile.agent(Roots.COLONY, new AgentId("web")),
        Roots.EC.getPublic(),
        Roots.NOW,
        Duration.ofDays(90));
  }
}
