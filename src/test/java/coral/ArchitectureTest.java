package coral;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.lang.syntax.ArchRuleDefinition;
import com.tngtech.archunit.library.dependencies.SlicesRuleDefinition;
import coral.model.AgentId;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;

/** The direction of dependencies between packages, as one table. */
class ArchitectureTest {
  /** Package below {@code coral} to the packages below {@code coral} that it may use. */
  private static final Map<String, Set<String>> MAY_USE =
      Map.ofEntries(
          Map.entry("", Set.of("cli")),
          Map.entry(
              "cli",
              Set.of(
                  "agent",
                  "api",
                  "audit",
                  "certificate",
                  "colony",
                  "discovery",
                  "files",
                  "linux",
                  "model",
                  "process",
                  "proxy",
                  "rpc",
                  "settings",
                  "wireguard")),
          // processes
          Map.entry(
              "discovery",
              Set.of(
                  "api",
                  "files",
                  "model",
                  "ownership",
                  "process",
                  "rpc",
                  "settings",
                  "storage",
                  "token")),
          Map.entry(
              "colony",
              Set.of(
                  "address",
                  "api",
                  "audit",
                  "certificate",
                  "files",
                  "metrics",
                  "model",
                  "ownership",
                  "process",
                  "rpc",
                  "session",
                  "settings",
                  "storage",
                  "token",
                  "wireguard")),
          Map.entry(
              "agent",
              Set.of(
                  "api",
                  "certificate",
                  "files",
                  "linux",
                  "model",
                  "process",
                  "proxy",
                  "rpc",
                  "settings",
                  "wireguard")),
          // features
          Map.entry("address", Set.of("model")),
          Map.entry("audit", Set.of("model")),
          Map.entry("certificate", Set.of("files", "model", "settings")),
          Map.entry("ownership", Set.of("files", "model")),
          Map.entry("session", Set.of("model")),
          Map.entry("token", Set.of("files", "model")),
          Map.entry("wireguard", Set.of("linux", "model")),
          // what features and processes stand on
          Map.entry("metrics", Set.of("model", "rpc")),
          Map.entry("process", Set.of()),
          Map.entry("proxy", Set.of("files", "model", "rpc", "settings")),
          Map.entry("rpc", Set.of("api", "model", "settings")),
          Map.entry("settings", Set.of("model")),
          Map.entry("storage", Set.of("model")),
          Map.entry("files", Set.of("model")),
          Map.entry("linux", Set.of("model")),
          Map.entry("api", Set.of()),
          Map.entry("model", Set.of()));

  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .importUrl(AgentId.class.getProtectionDomain().getCodeSource().getLocation());

  @Test
  void packagesUseOnlyWhatTheTableAllows() {
    Set<String> violations = new TreeSet<>();
    for (JavaClass origin : CLASSES) {
      String from = part(origin);
      assertTrue(MAY_USE.containsKey(from), "package coral." + from + " is not in the table");
      origin.getDirectDependenciesFromSelf().stream()
          .map(dependency -> dependency.getTargetClass().getBaseComponentType())
          .filter(target -> isOurs(target) && !part(target).equals(from))
          .filter(target -> !MAY_USE.getOrDefault(from, Set.of()).contains(part(target)))
          .forEach(target -> violations.add(origin.getName() + " uses " + target.getName()));
    }
    assertEquals(Set.of(), violations);
  }

  @Test
  void packagesFormNoCycles() {
    SlicesRuleDefinition.slices().matching("coral.(*)..").should().beFreeOfCycles().check(CLASSES);
  }

  @Test
  void onlySettingsReadConfiguration() {
    ArchRuleDefinition.noClasses()
        .that(
            DescribedPredicate.describe(
                "are neither settings nor where Pekko asks for a configuration",
                type ->
                    isOurs(type)
                        && !outermost(type).getSimpleName().endsWith("Settings")
                        && !outermost(type).getSimpleName().endsWith("Process")
                        && !part(type).equals("settings")
                        && !part(type).equals("storage")
                        && !part(type).equals("cli")))
        .should()
        .dependOnClassesThat()
        .resideInAPackage("com.typesafe.config..")
        .check(CLASSES);
  }

  @Test
  void onlyMetricsKnowTheirLibrary() {
    ArchRuleDefinition.noClasses()
        .that()
        .resideOutsideOfPackage("coral.metrics..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("io.micrometer..", "io.prometheus..")
        .check(CLASSES);
  }

  @Test
  void onlyLinuxMakesNativeCalls() {
    ArchRuleDefinition.noClasses()
        .that()
        .resideOutsideOfPackage("coral.linux..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("com.sun.jna..")
        .check(CLASSES);
  }

  @Test
  void onlyEdgesKnowGeneratedTypes() {
    ArchRuleDefinition.noClasses()
        .that()
        .resideInAnyPackage(
            "coral.model..",
            "coral.address..",
            "coral.audit..",
            "coral.certificate..",
            "coral.ownership..",
            "coral.session..",
            "coral.token..",
            "coral.wireguard..",
            "coral.storage..",
            "coral.linux..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("coral.api..", "com.google.protobuf..", "io.grpc..")
        .check(CLASSES);
  }

  @Test
  void nobodySleepsOrReadsTheClock() {
    ArchRuleDefinition.noClasses()
        .that()
        .resideOutsideOfPackage("coral.api..")
        .should()
        .callMethodWhere(
            DescribedPredicate.describe(
                "sleep or read the wall clock",
                (JavaAccess<?> call) -> {
                  String target = call.getTargetOwner().getName() + "." + call.getName();
                  return target.equals("java.lang.Thread.sleep")
                      || target.equals("java.time.Instant.now");
                }))
        .check(CLASSES);
  }

  @Test
  void namesSayWhatATypeIs() {
    ArchRuleDefinition.noClasses()
        .that()
        .resideOutsideOfPackage("coral.api..")
        .should()
        .haveNameMatching(".*(Manager|Helper|Utils?|Impl)")
        .check(CLASSES);
  }

  /** Pekko's Scala types stay where its API asks for them: in the journal's data access. */
  @Test
  void noPublicSignatureNamesScala() {
    Set<String> violations = new TreeSet<>();
    for (JavaClass type : CLASSES) {
      if (part(type).equals("api") || part(type).equals("storage")) {
        continue;
      }
      for (JavaCodeUnit unit : type.getCodeUnits()) {
        boolean scala =
            unit.getRawParameterTypes().stream().anyMatch(p -> p.getName().startsWith("scala."))
                || unit.getRawReturnType().getName().startsWith("scala.");
        if (scala && !unit.getName().contains("$") && !isSynthetic(unit)) {
          violations.add(unit.getFullName());
        }
      }
    }
    assertEquals(Set.of(), violations);
  }

  @Test
  void everyPackageIsNullMarked() {
    Set<String> unmarked = new TreeSet<>();
    for (JavaClass type : CLASSES) {
      if (!part(type).equals("api") && !type.getPackage().isAnnotatedWith(NullMarked.class)) {
        unmarked.add(type.getPackageName());
      }
    }
    assertEquals(Set.of(), unmarked);
  }

  private static boolean isSynthetic(JavaCodeUnit unit) {
    return unit.getModifiers().stream().anyMatch(m -> m.name().equals("SYNTHETIC"));
  }

  private static boolean isOurs(JavaClass type) {
    return type.getPackageName().equals("coral") || type.getPackageName().startsWith("coral.");
  }

  private static JavaClass outermost(JavaClass type) {
    JavaClass outer = type;
    while (outer.getEnclosingClass().isPresent()) {
      outer = outer.getEnclosingClass().get();
    }
    return outer;
  }

  /** The first package below coral: {@code wireguard} for {@code coral.wireguard.embedded}. */
  private static String part(JavaClass type) {
    String name = type.getPackageName();
    if (name.equals("coral")) {
      return "";
    }
    String rest = name.substring("coral.".length());
    int dot = rest.indexOf('.');
    return dot < 0 ? rest : rest.substring(0, dot);
  }
}
