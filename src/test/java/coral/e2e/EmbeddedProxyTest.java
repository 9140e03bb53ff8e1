package coral.e2e;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import coral.agent.AgentProcess;
import coral.model.ColonyId;
import coral.proxy.ProxyDirectory;
import coral.proxy.ProxyState;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestReporter;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Proxies in this process, over the colony's public port, with HTTP/1.1 and HTTP/2. */
@Timeout(180)
class EmbeddedProxyTest {
  private static final String LISTEN = "listen.port = 0";

  private final HttpClient http1 = client(HttpClient.Version.HTTP_1_1);
  private final HttpClient http2 = client(HttpClient.Version.HTTP_2);

  @TempDir private Path home;

  private static HttpClient client(HttpClient.Version version) {
    return HttpClient.newBuilder().version(version).connectTimeout(Duration.ofSeconds(10)).build();
  }

  @Test
  void anAgentThatBuysItsCertificateWithAProxyMayReadAndOneOfTheRoleAgentMayNot() throws Exception {
    try (IdentitySite site = IdentitySite.create(home)) {
      site.startColony("");
      AgentEvents events = new AgentEvents();
      try (AgentProcess agent =
          site.startAgent(
              "web-1",
              site.secret() + "\nproxy { enabled = true, " + LISTEN + " }",
              events.out())) {
        events.await("joined");
        JsonNode proxy = events.await("proxy");
        assertEquals("public", proxy.get("way").asText());
        assertEquals("proxy", proxy.get("role").asText());
        assertEquals(200, ask(http1, proxy).statusCode());
        assertEquals(200, ask(http2, proxy).statusCode());
        ProxyState state = directory(site).running().orElseThrow();
        assertTrue(state.isEmbedded());
        assertFalse(agent.exitCode().toCompletableFuture().isDone());
      }
      assertTrue(directory(site).state().isEmpty());

      site.joinOnce("web-2", site.secret());
      AgentEvents second = new AgentEvents();
      try (AgentProcess agent =
          site.startAgent("web-2", "proxy { enabled = true, " + LISTEN + " }", second.out())) {
        JsonNode proxy = second.await("proxy");
        assertEquals("agent", proxy.get("role").asText());
        assertEquals(403, ask(http1, proxy).statusCode());
        assertFalse(agent.exitCode().toCompletableFuture().isDone());
      }
    }
  }

  /** A certificate of a minute is renewed 20 s after its start. What is under way goes on, too. */
  @Test
  void noCallIsLostWhileTheProxyRenewsItsCertificate(TestReporter reporter) throws Exception {
    try (IdentitySite site = IdentitySite.create(home)) {
      site.startColony("certificates.agent-validity = 1m");
      AgentEvents events = new AgentEvents();
      try (AgentProcess agent =
          site.startAgent(
              "proxy-1",
              site.secret() + "\nproxy { standalone = true, " + LISTEN + " }",
              events.out())) {
        String first = events.await("joined").get("certificateSerial").asText();
        JsonNode proxy = events.await("proxy");
        Set<String> failures = new HashSet<>();
        int calls = 0;
        CompletableFuture<String> renewed = new CompletableFuture<>();
        Thread waiting =
            new Thread(
                () -> {
                  try {
                    renewed.complete(events.await("joined").get("certificateSerial").asText());
                  } catch (InterruptedException | AssertionError e) {
                    renewed.completeExceptionally(e);
                  }
                },
                "renewal");
        waiting.start();
        InputStream watch = watch(proxy);
        nextMessage(watch);
        while (!renewed.isDone()) {
          HttpResponse<String> answer = ask(calls % 2 == 0 ? http1 : http2, proxy);
          calls++;
          if (answer.statusCode() != 200) {
            failures.add("call " + calls + ": " + answer.statusCode() + " " + answer.body());
          }
        }
        assertNotEquals(first, renewed.get());
        assertEquals(200, ask(http1, proxy).statusCode());
        // The colony has seen the new certificate by now; whom it would break off it has soon.
        long used = System.nanoTime();
        do {
          nextMessage(watch);
        } while (System.nanoTime() - used < Duration.ofSeconds(1).toNanos());
        watch.close();
        assertEquals(Set.of(), failures, "of " + calls + " calls");
        reporter.publishEntry("renewal", calls + " calls, none lost");
        assertFalse(agent.exitCode().toCompletableFuture().isDone());
      }
    }
  }

  private ProxyDirectory directory(IdentitySite site) {
    ColonyId colony = site.created.colonyId();
    return ProxyDirectory.of(home, colony);
  }

  /** A stream of the Connect protocol, which says something at least every 15 s. */
  private InputStream watch(JsonNode proxy) throws Exception {
    HttpResponse<InputStream> answer =
        http2.send(
            HttpRequest.newBuilder(
                    URI.create(
                        "http://"
                            + proxy.get("listen").asText()
                            + "/coral.colony.v1.ColonyService/WatchAgents"))
                .header("Content-Type", "application/connect+json")
                .POST(HttpRequest.BodyPublishers.ofByteArray(new byte[] {0, 0, 0, 0, 2, '{', '}'}))
                .build(),
            HttpResponse.BodyHandlers.ofInputStream());
    assertEquals(200, answer.statusCode());
    return answer.body();
  }

  private static void nextMessage(InputStream stream) throws IOException {
    byte[] head = stream.readNBytes(5);
    assertEquals(5, head.length, "the stream was broken off");
    String text = new String(stream.readNBytes(ByteBuffer.wrap(head, 1, 4).getInt()), UTF_8);
    assertEquals(0, head[0], "the stream ended: " + text);
  }

  private static HttpResponse<String> ask(HttpClient client, JsonNode proxy) throws Exception {
    return client.send(
        HttpRequest.newBuilder(
                URI.create(
                    "http://"
                        + proxy.get("listen").asText()
                        + "/coral.colony.v1.ColonyService/GetStatus"))
            .timeout(Duration.ofSeconds(10))
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString("{}"))
            .build(),
        HttpResponse.BodyHandlers.ofString());
  }
}
