package coral.colony;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.api.colony.v1.GetStatusRequest;
import coral.api.colony.v1.GetStatusResponse;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class ReadinessTest {
  @TempDir Path directory;

  private static HttpResponse<String> get(TestColony colony, String path) throws Exception {
    return HttpClient.newBuilder()
        .version(HttpClient.Version.HTTP_1_1)
        .build()
        .send(
            HttpRequest.newBuilder(
                    URI.create(
                        "http://127.0.0.1:"
                            + colony.process().managementAddress().getPort()
                            + path))
                .build(),
            HttpResponse.BodyHandlers.ofString());
  }

  @Test
  void readyTurnsFailingAndSaysWhyWhenTheDeviceCloses() throws Exception {
    try (TestColony colony = TestColony.start(directory)) {
      assertTrue(colony.process().managementAddress().getAddress().isLoopbackAddress());
      HttpResponse<String> ready = get(colony, "/ready");
      assertEquals(200, ready.statusCode(), ready.body());
      assertEquals(200, get(colony, "/alive").statusCode());

      colony.process().device().close();

      HttpResponse<String> failing = get(colony, "/ready");
      assertEquals(500, failing.statusCode());
      assertTrue(failing.body().contains("the WireGuard device coral0 is down"), failing.body());
      assertEquals(200, get(colony, "/alive").statusCode());
      GetStatusResponse status =
          colony.call(
              Optional.of(colony.administrator()),
              TestColony.COLONY + "GetStatus",
              GetStatusRequest.getDefaultInstance(),
              GetStatusResponse.parser());
      assertEquals("unhealthy", status.getStatus());
      assertTrue(status.getProblemsList().toString().contains("coral0 is down"));
    }
  }
}
