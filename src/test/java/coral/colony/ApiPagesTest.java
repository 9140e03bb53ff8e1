package coral.colony;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.Descriptors.MethodDescriptor;
import com.google.protobuf.Descriptors.ServiceDescriptor;
import coral.rpc.ClientCertificate;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The pages about the API as a colony serves them, and the calls that they show. */
final class ApiPagesTest {
  private static final Pattern CALL =
      Pattern.compile(
          "<code>curl -H 'content-type: application/json' \\\\\n  -d '([^\n]*)' \\\\\n"
              + "  http://127.0.0.1:8000/([^<]*)</code>");

  private static final Pattern STREAM =
      Pattern.compile(
          "<code>(printf '[^\n]*') \\|\n  curl -sN -H 'content-type: application/connect\\+json'"
              + " --data-binary @- \\\\\n  http://127.0.0.1:8000/([^<]*)</code>");

  @TempDir Path directory;

  private static HttpResponse<String> get(TestColony colony, String path) throws Exception {
    return send(
        colony,
        Optional.empty(),
        HttpRequest.newBuilder(URI.create("https://" + colony.endpoint() + path)).build());
  }

  private static HttpResponse<String> send(
      TestColony colony, Optional<ClientCertificate> as, HttpRequest request) throws Exception {
    return HttpClient.newBuilder()
        .sslContext(colony.tls(as))
        .build()
        .send(request, HttpResponse.BodyHandlers.ofString());
  }

  private static HttpResponse<String> post(TestColony colony, String rpc, String type, byte[] body)
      throws Exception {
    return send(
        colony,
        Optional.of(colony.administrator()),
        HttpRequest.newBuilder(URI.create("https://" + colony.endpoint() + "/" + rpc))
            .header("content-type", type)
            .POST(HttpRequest.BodyPublishers.ofByteArray(body))
            .build());
  }

  @Test
  void everyRpcIsOnAPageAndItsCallIsUnderstood() throws Exception {
    try (TestColony colony =
        TestColony.start(directory, Map.of("coral.colony.authority.key-type", "p-256"))) {
      String index = get(colony, "/api/").body();
      Map<String, String> notUnderstood = new TreeMap<>();
      int calls = 0;
      for (FileDescriptor file : ColonyAuthorizationTest.FILES) {
        for (ServiceDescriptor service : file.getServices()) {
          assertTrue(index.contains("/api/" + service.getFullName()), service.getFullName());
          String page = get(colony, "/api/" + service.getFullName()).body();
          for (MethodDescriptor rpc : service.getMethods()) {
            assertTrue(page.contains("<section id=\"" + rpc.getName() + "\">"), rpc.getFullName());
          }
          calls += unary(colony, service, page, notUnderstood);
          calls += streams(colony, service, page, notUnderstood);
        }
      }
      assertEquals(Map.of(), notUnderstood);
      assertTrue(calls > 20, calls + " calls");
    }
  }

  private static int unary(
      TestColony colony, ServiceDescriptor service, String page, Map<String, String> not)
      throws Exception {
    List<String> called = new ArrayList<>();
    Matcher call = CALL.matcher(page);
    while (call.find()) {
      called.add(call.group(2));
      byte[] body = unescaped(call.group(1)).getBytes(StandardCharsets.UTF_8);
      judge(call.group(2), post(colony, call.group(2), "application/json", body).body(), not);
    }
    assertEquals(
        service.getMethods().stream()
            .filter(rpc -> !rpc.isServerStreaming() && !rpc.isClientStreaming())
            .map(rpc -> service.getFullName() + "/" + rpc.getName())
            .toList(),
        called);
    return called.size();
  }

  /** What stands before the bar is run by a shell. */
  private static int streams(
      TestColony colony, ServiceDescriptor service, String page, Map<String, String> not)
      throws Exception {
    List<String> called = new ArrayList<>();
    Matcher call = STREAM.matcher(page);
    while (call.find()) {
      called.add(call.group(2));
      Process shell = new ProcessBuilder("sh", "-c", unescaped(call.group(1))).start();
      byte[] body = shell.getInputStream().readAllBytes();
      assertEquals(0, shell.waitFor());
      if (!call.group(2).endsWith("/WatchAgents")) { // which has no end
        judge(
            call.group(2),
            post(colony, call.group(2), "application/connect+json", body).body(),
            not);
      }
    }
    assertEquals(
        service.getMethods().stream()
            .filter(rpc -> rpc.isServerStreaming() && !rpc.isClientStreaming())
            .map(rpc -> service.getFullName() + "/" + rpc.getName())
            .toList(),
        called);
    return called.size();
  }

  /** Whatever the colony says to it: it has read it. */
  private static void judge(String rpc, String answer, Map<String, String> not) {
    for (String code : List.of("unimplemented", "internal", "unknown", "unauthenticated")) {
      if (answer.contains("\"code\":\"" + code + "\"")) {
        not.put(rpc, answer);
      }
    }
    if (answer.contains("the body is not a ") || answer.contains("is not one message")) {
      not.put(rpc, answer);
    }
  }

  private static String unescaped(String html) {
    return html.replace("&quot;", "\"")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&");
  }

  @Test
  void aPageLoadsNothingButItsStyle() throws Exception {
    try (TestColony colony =
        TestColony.start(directory, Map.of("coral.colony.authority.key-type", "p-256"))) {
      for (String path : List.of("/api", "/api/", "/api/coral.colony.v1.ColonyService")) {
        HttpResponse<String> page = get(colony, path);
        assertEquals(200, page.statusCode());
        assertEquals(
            "text/html; charset=UTF-8", page.headers().firstValue("content-type").orElseThrow());
        assertTrue(
            page.headers()
                .firstValue("content-security-policy")
                .orElseThrow()
                .startsWith("default-src 'none'; style-src 'self';"));
        assertFalse(page.body().contains("<script") || page.body().contains("style=\""));
      }
      HttpResponse<String> style = get(colony, "/api/style.css");
      assertEquals(
          "text/css; charset=UTF-8", style.headers().firstValue("content-type").orElseThrow());
      assertTrue(style.body().contains("prefers-color-scheme: dark"));
      assertEquals(404, get(colony, "/api/nothing").statusCode());
    }
  }
}
