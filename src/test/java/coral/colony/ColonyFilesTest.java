package coral.colony;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.typesafe.config.ConfigFactory;
import coral.certificate.Authority;
import coral.certificate.AuthoritySettings;
import coral.certificate.Identity;
import coral.certificate.KeyFiles;
import coral.certificate.KeyType;
import coral.files.SecureFiles;
import coral.model.ColonyId;
import coral.model.Ed25519PublicKey;
import coral.model.Secret;
import coral.settings.SettingsException;
import coral.settings.SettingsLoader;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ColonyFilesTest {
  private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");

  @TempDir Path home;

  @Test
  void aColonyIsMadeOnceReadableByNobodyElseAndItsServerCertificateIsRenewed() throws Exception {
    ColonyFiles.Created created =
        ColonyFiles.create("shop", "test", home, InstantSource.fixed(NOW));
    assertTrue(created.colonyId().value().matches("shop-test-[0-9a-f]{6}"));
    assertTrue(created.secret().reveal().matches("coral-sec_[A-Za-z0-9_-]{43}"));
    assertFalse(created.toString().contains(created.secret().reveal()));
    try (Stream<Path> paths = Files.walk(created.directory())) {
      for (Path path : paths.toList()) {
        assertEquals(
            Files.isDirectory(path) ? "rwx------" : "rw-------",
            PosixFilePermissions.toString(Files.getPosixFilePermissions(path)),
            path.toString());
      }
    }
    assertThrows(
        FileAlreadyExistsException.class,
        () ->
            ColonyFiles.createIn(
                created.directory(),
                created.colonyId(),
                "a",
                "b",
                AuthoritySettings.defaults(),
                InstantSource.fixed(NOW)));

    ColonyFiles files = new ColonyFiles(created.directory());
    Authority authority = files.authority(AuthoritySettings.defaults(), InstantSource.fixed(NOW));
    assertEquals(created.caFingerprint(), authority.fingerprint());
    assertEquals(created.secret(), files.secret());
    Identity server = files.serverIdentity(authority, InstantSource.fixed(NOW));
    Instant end = server.certificate().getNotAfter().toInstant();
    Duration third =
        Duration.between(server.certificate().getNotBefore().toInstant(), end).dividedBy(3);
    InstantSource young = InstantSource.fixed(end.minus(third).minusSeconds(1));
    assertEquals(server.certificate(), files.serverIdentity(authority, young).certificate());
    InstantSource old = InstantSource.fixed(end.minus(third).plusSeconds(1));
    Identity renewed = files.serverIdentity(authority, old);
    assertNotEquals(server.certificate(), renewed.certificate());
    assertEquals(
        renewed.certificate(), files.serverIdentity(authority, old).certificate(), "it was kept");

    ColonySettings settings =
        ColonySettings.from(SettingsLoader.load(Optional.of(created.settingsFile())));
    assertEquals(created.colonyId(), settings.colonyId());
    assertEquals(created.directory(), settings.directory());
    assertEquals(9000, settings.listenPort());
    assertEquals(41820, settings.wireGuardPort());
    assertEquals(Duration.ofSeconds(15), settings.heartbeatInterval());
  }

  /** The root's key may be kept elsewhere from `init` on. */
  @Test
  void aColonyWithoutItsRootsKeyGoesOnUntilItsIntermediatesEnd() throws Exception {
    ColonyFiles.Created created =
        ColonyFiles.createIn(
            home.resolve("colony"),
            new ColonyId("shop-test-a1b2c3"),
            "shop",
            "test",
            settings(KeyType.P_256),
            InstantSource.fixed(NOW));
    Path key = created.directory().resolve("ca-key.pem");
    assertTrue(Files.readString(key).startsWith("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
    Path elsewhere = home.resolve("safe.pem");
    Files.move(key, elsewhere);
    ColonyFiles files = new ColonyFiles(created.directory());
    for (int days : new int[] {0, 400, 729}) {
      InstantSource clock = InstantSource.fixed(NOW.plus(Duration.ofDays(days)));
      Authority authority = files.authority(settings(KeyType.P_256), clock);
      assertFalse(authority.isRootOnline());
      Identity server = files.serverIdentity(authority, clock);
      assertTrue(server.certificate().getNotAfter().toInstant().isAfter(clock.instant()));
      assertEquals(3, server.chain().size(), "leaf, intermediate and the root that is pinned");
      assertEquals(created.caFingerprint(), authority.fingerprint());
    }
    InstantSource late = InstantSource.fixed(NOW.plus(Duration.ofDays(731)));
    IOException refused =
        assertThrows(IOException.class, () -> files.authority(settings(KeyType.P_256), late));
    assertTrue(String.valueOf(refused.getMessage()).contains("bring it back"), refused::getMessage);
    Files.move(elsewhere, key);
    Authority renewed = files.authority(settings(KeyType.P_256), late);
    assertEquals(created.caFingerprint(), renewed.fingerprint(), "nothing to pin anew");
    assertTrue(
        files
            .serverIdentity(renewed, late)
            .certificate()
            .getNotAfter()
            .toInstant()
            .isAfter(late.instant().plus(Duration.ofDays(364))));
  }

  /** Made by init, with what encrypts the authority's keys; a colony from before gets one later. */
  @Test
  void theOwnerKeyIsMadeOnceAndEncryptedAsTheKeysOfTheAuthorityAre() throws Exception {
    Path directory = home.resolve("colony");
    ColonyFiles.createIn(
        directory,
        new ColonyId("shop-test-a1b2c3"),
        "shop",
        "test",
        settings(KeyType.P_256),
        InstantSource.fixed(NOW));
    ColonyFiles files = new ColonyFiles(directory);
    Path key = directory.resolve("owner-key.pem");
    assertTrue(Files.readString(key).startsWith("-----BEGIN ENCRYPTED PRIVATE KEY-----"));
    Ed25519PublicKey made =
        files.owner(settings(KeyType.P_256), InstantSource.fixed(NOW)).publicKey();
    assertEquals(made, files.owner(settings(KeyType.P_256), InstantSource.fixed(NOW)).publicKey());
    assertThrows(
        IOException.class,
        () -> files.owner(AuthoritySettings.defaults(), InstantSource.fixed(NOW)));
    Files.delete(key);
    assertNotEquals(
        made, files.owner(AuthoritySettings.defaults(), InstantSource.fixed(NOW)).publicKey());
    assertEquals(PosixFilePermissions.fromString("rw-------"), Files.getPosixFilePermissions(key));
  }

  private static AuthoritySettings settings(KeyType type) {
    return new AuthoritySettings(
        type, Optional.of(new Secret("a passphrase")), Optional.empty(), Optional.empty());
  }

  @Test
  void theKeysOfTheAuthorityAreConfigured() throws Exception {
    Path passphrase = home.resolve("passphrase");
    SecureFiles.write(
        passphrase, "from a file\n".getBytes(java.nio.charset.StandardCharsets.UTF_8));
    AuthoritySettings settings =
        ColonySettings.authority(
            ConfigFactory.parseMap(
                    Map.of(
                        "coral.colony.authority.key-type", "p-256",
                        "coral.colony.authority.passphrase", "ignored",
                        "coral.colony.authority.passphrase-file", passphrase.toString()))
                .withFallback(SettingsLoader.load(Optional.empty())));
    assertEquals(KeyType.P_256, settings.keyType());
    assertFalse(settings.toString().contains("ignored"), settings::toString);
    Path colony = home.resolve("colony");
    Authority.create(
        new ColonyId("shop-test-a1b2c3"),
        colony,
        settings.open(colony),
        settings.keyType(),
        InstantSource.fixed(NOW));
    Authority.load(colony, new KeyFiles(colony, Optional.of(new Secret("from a file"))));
    Files.setPosixFilePermissions(passphrase, PosixFilePermissions.fromString("rw-r--r--"));
    IOException open = assertThrows(IOException.class, () -> settings.open(colony));
    assertTrue(String.valueOf(open.getMessage()).contains("chmod 600"), open::getMessage);
    var weak =
        ConfigFactory.parseMap(Map.of("coral.colony.authority.key-type", "rsa-1024"))
            .withFallback(SettingsLoader.load(Optional.empty()));
    SettingsException wrong =
        assertThrows(SettingsException.class, () -> ColonySettings.authority(weak));
    assertTrue(String.valueOf(wrong.getMessage()).contains("rsa-3072"), wrong::getMessage);
  }

  @Test
  void aNameThatMakesNoColonyIdIsRefusedBeforeAnythingIsWritten() throws Exception {
    assertThrows(
        IllegalArgumentException.class,
        () -> ColonyFiles.create("My App", "test", home, InstantSource.fixed(NOW)));
    try (Stream<Path> entries = Files.list(home)) {
      assertEquals(0, entries.count());
    }
  }

  @Test
  void aWrongSettingNamesItsKeyItsValueAndWhatWasExpected() {
    Map<String, String> wrong =
        Map.of(
            "coral.colony.subnet.ipv4", "10.0.0.0/31",
            "coral.colony.subnet.ipv6", "fd42::/20",
            "coral.colony.listen.port", "70000",
            "coral.colony.wireguard.mtu", "100",
            "coral.colony.wireguard.device", "kernel",
            "coral.colony.heartbeat-interval", "0s",
            "coral.colony.discovery.url", "ftp://x",
            "coral.colony.public-endpoints", "nowhere");
    wrong.forEach(
        (key, value) -> {
          var config =
              ConfigFactory.parseMap(Map.of(key, value, "coral.colony.id", "shop-test-a1b2c3"))
                  .withFallback(SettingsLoader.load(Optional.empty()));
          String message =
              String.valueOf(
                  assertThrows(SettingsException.class, () -> ColonySettings.from(config), key)
                      .getMessage());
          assertTrue(
              message.contains(key) && message.contains(value) && message.contains("expected"),
              message);
        });
    var unpinned =
        ConfigFactory.parseMap(
                Map.of(
                    "coral.colony.id", "shop-test-a1b2c3",
                    "coral.colony.discovery.url", "https://localhost:8080"))
            .withFallback(SettingsLoader.load(Optional.empty()));
    assertTrue(
        String.valueOf(
                assertThrows(SettingsException.class, () -> ColonySettings.from(unpinned))
                    .getMessage())
            .contains("coral.colony.discovery.fingerprint"));
  }
}
