package coral.rpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import coral.model.Failure;
import coral.model.RefusedException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A proxy lends its callers no more than they have, nor they it. */
final class SpeakingForTest {
  private static final String READ = "x.Colony/Read";
  private static final String OPERATE = "x.Colony/Operate";
  private static final String OWN = "x.Colony/Own";
  private static final String ADMINISTER = "x.Colony/Administer";

  private static final RpcAuthorization TABLE =
      RpcAuthorization.of(
          Map.of(
              READ,
              Set.of(Role.PROXY, Role.VIEWER, Role.OPERATOR, Role.ADMINISTRATOR),
              OPERATE,
              Set.of(Role.OPERATOR, Role.ADMINISTRATOR),
              OWN,
              Set.of(Role.AGENT, Role.PROXY),
              ADMINISTER,
              Set.of(Role.ADMINISTRATOR)));

  private static Caller connected(Role role) throws Exception {
    ClientCertificate shown =
        new TestAuthority("Coral Colony CA").administrator("shop-prod-a3f2e1", "x");
    return new Caller(
        role,
        Optional.of("laptop"),
        Optional.of(shown.chain().get(0)),
        new InetSocketAddress(InetAddress.getLoopbackAddress(), 1),
        "1");
  }

  private static boolean may(String rpc, Caller caller) {
    try {
      TABLE.require(rpc, caller);
      return true;
    } catch (RefusedException e) {
      assertEquals(Failure.PERMISSION_DENIED, e.refused().failure());
      return false;
    }
  }

  @ParameterizedTest
  @CsvSource({
    "PROXY, viewer/ada, VIEWER, true, false, false",
    "PROXY, operator/ada, VIEWER, true, false, false",
    "PROXY, admin/ada, VIEWER, true, false, false",
    "VIEWER, admin/ada, VIEWER, true, false, false",
    "OPERATOR, viewer/ada, VIEWER, true, false, false",
    "OPERATOR, operator/ada, OPERATOR, true, true, false",
    "OPERATOR, admin/ada, OPERATOR, true, true, false",
    "ADMINISTRATOR, operator/ada, OPERATOR, true, true, false",
    "ADMINISTRATOR, admin/ada, ADMINISTRATOR, true, true, true",
    "AGENT, admin/ada, VIEWER, false, false, false"
  })
  void aCallMayWhatBothMay(
      Role speaker, String of, Role lesser, boolean read, boolean operate, boolean administer)
      throws Exception {
    Caller caller = connected(speaker).speakingFor(List.of(of));
    assertEquals(lesser, caller.role());
    assertEquals(read, may(READ, caller));
    assertEquals(operate, may(OPERATE, caller));
    assertEquals(administer, may(ADMINISTER, caller));
    assertEquals(false, may(OWN, caller), "what members do for themselves");
    assertEquals(
        Optional.empty(), caller.certificate(), "nobody renews the certificate of who speaks");
    assertEquals(speaker.wireName() + "/laptop for " + of, caller.actor());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "ada",
        "viewer",
        "viewer/",
        "/ada",
        "viewer/Ada",
        "viewer/a b",
        "viewer/ada/x",
        "viewer/ada,admin/root",
        "anyone/ada",
        "agent/web-1",
        "proxy/laptop",
        "root/ada"
      })
  void whatNamesNobodyIsRefused(String named) throws Exception {
    Caller proxy = connected(Role.PROXY);
    assertEquals(
        Failure.INVALID_ARGUMENT,
        assertThrows(RefusedException.class, () -> proxy.speakingFor(List.of(named)))
            .refused()
            .failure());
  }

  @Test
  void twoNamesAreRefused() throws Exception {
    Caller proxy = connected(Role.PROXY);
    assertThrows(
        RefusedException.class, () -> proxy.speakingFor(List.of("viewer/ada", "admin/root")));
  }

  @Test
  void aStrangerSpeaksForNobody() {
    Caller stranger =
        Caller.anyone(new InetSocketAddress(InetAddress.getLoopbackAddress(), 1), "1");
    assertEquals(
        Failure.UNAUTHENTICATED,
        assertThrows(RefusedException.class, () -> stranger.speakingFor(List.of("viewer/ada")))
            .refused()
            .failure());
    assertEquals(stranger, stranger.speakingFor(List.of()));
  }
}
