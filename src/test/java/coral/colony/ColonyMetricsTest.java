package coral.colony;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.api.colony.v1.GetStatusRequest;
import coral.api.colony.v1.GetStatusResponse;
import coral.api.colony.v1.RevokeCertificateRequest;
import coral.api.colony.v1.RevokeCertificateResponse;
import coral.certificate.KeyType;
import coral.colony.TestColony.Member;
import coral.model.AuditEvent;
import coral.model.Failure;
import coral.model.WireGuardKey;
import coral.rpc.RpcException;
import coral.testing.Eventually;
import coral.token.SigningKey;
import coral.wireguard.KeyPair;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What Prometheus reads of a running colony, over HTTP. */
@Timeout(120)
class ColonyMetricsTest {
  @TempDir Path directory;

  private static HttpResponse<String> get(TestColony colony) throws Exception {
    return HttpClient.newHttpClient()
        .send(
            HttpRequest.newBuilder(
                    URI.create(
                        "http://127.0.0.1:"
                            + colony.process().managementAddress().getPort()
                            + "/metrics"))
                .build(),
            HttpResponse.BodyHandlers.ofString());
  }

  /** The samples by name and labels. */
  static Map<String, Double> samples(TestColony colony) throws Exception {
    HttpResponse<String> response = get(colony);
    assertEquals(200, response.statusCode(), response.body());
    Map<String, Double> samples = new TreeMap<>();
    for (String line : response.body().lines().filter(each -> !each.startsWith("#")).toList()) {
      int end = line.lastIndexOf(' ');
      samples.put(line.substring(0, end), Double.valueOf(line.substring(end + 1)));
    }
    return samples;
  }

  private static double registrations(Map<String, Double> samples, String shown, String result) {
    return sample(
        samples,
        "coral_registrations_total{authentication=\"" + shown + "\",result=\"" + result + "\"}");
  }

  static double records(Map<String, Double> samples, String kind) {
    return sample(samples, "coral_audit_records_total{kind=\"" + kind + "\"}");
  }

  private static double calls(Map<String, Double> samples, String rpc, String result) {
    return sample(
        samples, "coral_rpc_handling_seconds_count{result=\"" + result + "\",rpc=\"" + rpc + "\"}");
  }

  private static double sample(Map<String, Double> samples, String name) {
    Double value = samples.get(name);
    assertTrue(value != null, () -> name + " is not in " + samples.keySet());
    return value;
  }

  @Test
  void registrationsOfEachKindAreCountedAndNothingThatIsAnybodysOwnIsShown() throws Exception {
    SigningKey signing = SigningKey.generate(LegacyAgents.RANDOM);
    try (TestColony colony = TestColony.start(directory, LegacyAgents.TAKEN)) {
      LegacyAgents.trust(colony, signing);
      colony.restart();
      Map<String, Double> before = samples(colony);
      for (AuditEvent.Kind kind : AuditEvent.Kind.values()) {
        assertTrue(records(before, kind.wireName()) >= 0, kind.wireName());
      }
      assertEquals(0, registrations(before, "token", "accepted"));

      Member web = colony.bootstrap("web-1");
      WireGuardKey webKey = KeyPair.generate().publicKey();
      colony.register(web, webKey, "join-web-1");
      String secret = colony.created.secret().reveal();
      WireGuardKey oldKey = KeyPair.generate().publicKey();
      LegacyAgents.register(
          colony, LegacyAgents.request(oldKey).setAgentId("old-1").setColonySecret(secret).build());
      WireGuardKey tokenKey = KeyPair.generate().publicKey();
      String token = LegacyAgents.token(colony, signing, "old-2", Optional.of(tokenKey));
      LegacyAgents.register(
          colony, LegacyAgents.request(tokenKey).setRegistrationToken(token).build());
      String wrong = "x".repeat(43);
      assertEquals(
          Failure.UNAUTHENTICATED,
          assertThrows(
                  RpcException.class,
                  () ->
                      LegacyAgents.register(
                          colony,
                          LegacyAgents.request(KeyPair.generate().publicKey())
                              .setAgentId("old-3")
                              .setColonySecret(wrong)
                              .build()))
              .failure());
      assertEquals(
          Failure.UNAUTHENTICATED,
          assertThrows(
                  RpcException.class,
                  () ->
                      LegacyAgents.register(
                          colony, LegacyAgents.request(KeyPair.generate().publicKey()).build()))
              .failure());
      assertThrows(RpcException.class, () -> colony.bootstrap("web-1", KeyType.P_256.generate()));
      colony.call(
          Optional.of(colony.administrator()),
          TestColony.COLONY + "RevokeCertificate",
          RevokeCertificateRequest.newBuilder().setAgentId("web-1").setReason("test").build(),
          RevokeCertificateResponse.parser());
      assertEquals(
          RpcException.Reason.CERTIFICATE_REFUSED,
          assertThrows(RpcException.class, () -> colony.register(web, webKey, "join-again"))
              .reason());
      assertThrows(
          RpcException.class,
          () ->
              colony.call(
                  Optional.empty(),
                  TestColony.COLONY + "GetStatus",
                  GetStatusRequest.getDefaultInstance(),
                  GetStatusResponse.parser()));

      // What the journals hold comes to the audit log a moment later.
      Eventually.holds(() -> assertEquals(3, records(samples(colony), "address-allocated")));
      Eventually.holds(() -> assertEquals(1, records(samples(colony), "certificate-revoked")));
      Map<String, Double> after = samples(colony);
      assertEquals(1, registrations(after, "certificate", "accepted"));
      assertEquals(1, registrations(after, "colony-secret", "accepted"));
      assertEquals(1, registrations(after, "token", "accepted"));
      assertEquals(1, registrations(after, "colony-secret", "unauthenticated"));
      assertEquals(1, registrations(after, "none", "unauthenticated"));
      assertEquals(0, registrations(after, "certificate", "unauthenticated"));
      for (String shown : List.of("certificate", "token", "colony-secret")) {
        assertEquals(1, sample(after, "coral_agents{authentication=\"" + shown + "\"}"), shown);
      }
      assertEquals(0, sample(after, "coral_sessions_open"));
      assertEquals(65_533, sample(after, "coral_addresses_capacity"));
      assertEquals(1, records(after, "certificate-issued"));
      assertEquals(1, records(after, "invitation-used"));
      assertEquals(1, records(after, "token-spent"));
      assertEquals(1, records(after, "identity-contested"));
      assertEquals(1, calls(after, ColonyRpcs.REQUEST_CERTIFICATE, "ok"));
      assertEquals(1, calls(after, ColonyRpcs.REQUEST_CERTIFICATE, "agent-id-taken"));
      assertEquals(1, calls(after, TestColony.COLONY + "GetStatus", "unauthenticated"));
      assertTrue(sample(after, "coral_handshakes_refused_total{reason=\"ended\"}") >= 1);
      assertEquals(0, sample(after, "coral_handshakes_refused_total{reason=\"expired\"}"));
      assertTrue(sample(after, "coral_audit_pending") >= 0);
      assertEquals(0, sample(after, "coral_audit_refusals_unrecorded_total"));
      assertTrue(sample(after, "process_uptime_seconds") > 0);

      String text = get(colony).body();
      for (String own :
          List.of(
              "web-1",
              "old-1",
              "old-2",
              "old-3",
              secret,
              wrong,
              token,
              webKey.toString(),
              "127.0.0.1",
              "10.42.")) {
        assertFalse(text.contains(own), own);
      }
    }
  }

  @Test
  void aScrapeIsInTheFormOfPrometheus() throws Exception {
    try (TestColony colony = TestColony.start(directory)) {
      HttpResponse<String> response = get(colony);
      assertEquals(
          Optional.of("text/plain; version=0.0.4; charset=utf-8"),
          response.headers().firstValue("Content-Type").map(String::toLowerCase));
      for (String line : response.body().lines().toList()) {
        assertTrue(
            line.matches(
                "# (HELP|TYPE) [a-z_:][a-z0-9_:]* .+"
                    + "|[a-z_:][a-z0-9_:]*(\\{[a-z_]+=\"[^\"]*\"(,[a-z_]+=\"[^\"]*\")*\\})?"
                    + " (NaN|[+-]Inf|[-+0-9.E]+)"),
            line);
      }
      assertFalse(response.body().contains("NaN"), response.body());
    }
  }
}
