package coral.rpc;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import coral.model.ColonyId;
import coral.model.Failure;
import coral.model.RefusedException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.security.cert.X509Certificate;
import java.time.InstantSource;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** RFC 9440: a proxy says by which certificate it knows its caller. */
class RelayedCertificateTest {
  private static final ColonyId COLONY = new ColonyId("shop-prod-a3f2e1");

  private final TestAuthority authority = new TestAuthority("Coral Colony CA");
  private final Set<X509Certificate> revoked = new HashSet<>();

  /** A proxy's own certificate is one that relaying has nothing to do with. */
  private final CallerIdentity identity =
      CallerIdentity.ofColony(
          COLONY,
          own -> {
            throw new AssertionError("what a caller has shown to a proxy has no effects");
          },
          relayed -> !revoked.contains(relayed),
          InstantSource.system());

  private final X509Certificate root = certificate("root");

  RelayedCertificateTest() throws Exception {}

  private X509Certificate certificate(String name) throws Exception {
    return authority.administrator(COLONY.value(), name).chain().get(0);
  }

  private Caller speakingFor(String name) {
    return new Caller(
            Role.PROXY,
            Optional.of("laptop"),
            Optional.of(root),
            new InetSocketAddress(InetAddress.getLoopbackAddress(), 1),
            "1")
        .speakingFor(List.of(name));
  }

  private Failure refusal(Caller caller, List<String> fields) {
    return assertThrows(RefusedException.class, () -> identity.requireRelayed(caller, fields))
        .refused()
        .failure();
  }

  @Test
  void aGoodCertificateOfTheOneWhoIsNamedIsTaken() {
    assertDoesNotThrow(
        () ->
            identity.requireRelayed(
                speakingFor("admin/root"), List.of(ClientCertField.encode(root))));
  }

  @Test
  void withoutTheFieldThereIsNothingToAsk() {
    assertDoesNotThrow(() -> identity.requireRelayed(speakingFor("viewer/ada"), List.of()));
  }

  @Test
  void oneThatIsNoLongerGoodIsRefused() {
    revoked.add(root);
    assertEquals(
        Failure.UNAUTHENTICATED,
        refusal(speakingFor("admin/root"), List.of(ClientCertField.encode(root))));
  }

  @Test
  void oneOfSomebodyElseIsRefused() throws Exception {
    List<String> field = List.of(ClientCertField.encode(certificate("eve")));
    assertEquals(Failure.UNAUTHENTICATED, refusal(speakingFor("admin/root"), field));
    assertEquals(Failure.UNAUTHENTICATED, refusal(speakingFor("viewer/eve"), field));
  }

  @Test
  void oneOfAnotherColonyIsRefused() throws Exception {
    X509Certificate foreign = authority.administrator("other-prod-b4f2e1", "root").chain().get(0);
    assertEquals(
        Failure.UNAUTHENTICATED,
        refusal(speakingFor("admin/root"), List.of(ClientCertField.encode(foreign))));
  }

  @Test
  void itIsThereOnceAndTogetherWithTheNameOfTheCaller() {
    String field = ClientCertField.encode(root);
    assertEquals(
        Failure.INVALID_ARGUMENT, refusal(speakingFor("admin/root"), List.of(field, field)));
    Caller itself = Caller.anyone(new InetSocketAddress(InetAddress.getLoopbackAddress(), 1), "1");
    assertEquals(Failure.INVALID_ARGUMENT, refusal(itself, List.of(field)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", ":", "::", "AAAA", ":AAAA:", ":AA AA:", ":%%%:"})
  void whatIsNoCertificateIsRefused(String field) {
    assertEquals(Failure.INVALID_ARGUMENT, refusal(speakingFor("admin/root"), List.of(field)));
  }

  @Test
  void oneWithSomethingBehindItOrTooLongIsRefused() {
    String field = ClientCertField.encode(root);
    byte[] der = java.util.Base64.getDecoder().decode(field.substring(1, field.length() - 1));
    byte[] more = java.util.Arrays.copyOf(der, der.length + 3);
    String padded = ":" + java.util.Base64.getEncoder().encodeToString(more) + ":";
    assertEquals(Failure.INVALID_ARGUMENT, refusal(speakingFor("admin/root"), List.of(padded)));
    String tooLong = ":" + "A".repeat(9000) + ":";
    assertEquals(Failure.INVALID_ARGUMENT, refusal(speakingFor("admin/root"), List.of(tooLong)));
  }
}
