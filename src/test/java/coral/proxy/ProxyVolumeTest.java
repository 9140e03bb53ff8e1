package coral.proxy;

import static coral.proxy.ProxyFixture.get;
import static coral.proxy.StandInColony.COLONY;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import coral.api.colony.v1.GetStatusRequest;
import coral.api.colony.v1.ListAllocationsRequest;
import coral.api.colony.v1.PingAgentRequest;
import coral.api.mesh.v1.AgentMessage;
import coral.api.mesh.v1.Heartbeat;
import coral.api.mesh.v1.MeshServiceClient;
import coral.api.mesh.v1.Probe;
import coral.rpc.RpcChannel;
import coral.testing.Eventually;
import io.netty.util.internal.PlatformDependent;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.management.ManagementFactory;
import java.net.Socket;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.Source;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Much at once, and much at a time. Colony, proxy and callers share one heap here. */
@Timeout(120)
final class ProxyVolumeTest {
  /** 64 KiB each: 100 MiB. */
  private static final int MESSAGES = 1600;

  private static final long MEBIBYTE = 1 << 20;

  /** A third of what passes; it would not fit if anything kept it. */
  private static final long MARGIN = 32 * MEBIBYTE;

  private ProxyFixture fixture;

  @BeforeEach
  void start() throws Exception {
    fixture = new ProxyFixture();
  }

  @AfterEach
  void stop() throws Exception {
    fixture.close();
  }

  @Test
  void aThousandCallersAtOnceAreAllAnswered() throws Exception {
    List<CompletableFuture<?>> calls = new ArrayList<>();
    var grpc = fixture.grpc();
    for (int i = 0; i < 500; i++) {
      calls.add(
          grpc.listAllocations(ListAllocationsRequest.getDefaultInstance()).toCompletableFuture());
      calls.add(
          ProxyFixture.HTTP_1
              .sendAsync(
                  fixture
                      .request(COLONY + "ListAllocations")
                      .header("content-type", "application/json")
                      .POST(HttpRequest.BodyPublishers.ofString("{}"))
                      .build(),
                  HttpResponse.BodyHandlers.ofString())
              .thenAccept(response -> assertEquals(200, response.statusCode())));
    }
    Eventually.holds(() -> assertEquals(1000, fixture.colony.waiting.get()));
    assertEquals(1000, fixture.proxy.statistics().open());
    fixture.colony.release.complete(null);
    for (CompletableFuture<?> call : calls) {
      get(call);
    }
    Eventually.holds(() -> assertEquals(0, fixture.proxy.statistics().open()));
    assertEquals(0, fixture.proxy.statistics().refused());
  }

  @Test
  void aHundredMebibytesComeDownWithoutGrowthOfMemory() throws Exception {
    Memory before = Memory.now();
    AtomicInteger heard = new AtomicInteger();
    AtomicLong most = new AtomicLong();
    get(
        fixture
            .grpc()
            .pingAgent(PingAgentRequest.newBuilder().setCount(MESSAGES).build())
            .runWith(
                Sink.foreach(
                    message -> {
                      if (heard.incrementAndGet() % 400 == 0) {
                        most.accumulateAndGet(Memory.now().above(before), Math::max);
                      }
                    }),
                fixture.colony.system));
    assertEquals(MESSAGES, heard.get());
    assertTrue(fixture.proxy.statistics().sent() > 100 * MEBIBYTE);
    assertTrue(most.get() < MARGIN, most.get() + " bytes more at most");
  }

  @Test
  void aHundredMebibytesGoUpWithoutGrowthOfMemory() throws Exception {
    Memory before = Memory.now();
    AtomicInteger heard = new AtomicInteger();
    AtomicLong most = new AtomicLong();
    get(
        session()
            .session(Source.range(1, MESSAGES).map(ProxyVolumeTest::large))
            .runWith(
                Sink.foreach(
                    message -> {
                      if (heard.incrementAndGet() % 400 == 0) {
                        most.accumulateAndGet(Memory.now().above(before), Math::max);
                      }
                    }),
                fixture.colony.system));
    assertEquals(MESSAGES, heard.get());
    assertTrue(fixture.proxy.statistics().received() > 95 * MEBIBYTE);
    assertTrue(most.get() < MARGIN, most.get() + " bytes more at most");
  }

  @Test
  void aColonyThatDoesNotListenSlowsTheCallerDown() throws Exception {
    fixture.colony.listens = new CompletableFuture<>();
    AtomicInteger given = new AtomicInteger();
    var answers =
        session()
            .session(
                Source.range(1, MESSAGES)
                    .map(
                        i -> {
                          given.incrementAndGet();
                          return large(i);
                        }))
            .runWith(Sink.seq(), fixture.colony.system);
    othersAreAnswered(50);
    assertTrue(given.get() < MESSAGES / 2, given.get() + " messages under way");
    fixture.colony.listens.complete(null);
    assertEquals(MESSAGES, get(answers).size());
  }

  @Test
  void aReaderOverHttp2ThatStopsSlowsTheColonyDownAndNobodyElse() throws Exception {
    var reader =
        fixture
            .grpc()
            .pingAgent(PingAgentRequest.newBuilder().setCount(MESSAGES).build())
            .runWith(Sink.queue(), fixture.colony.system);
    get(reader.pull());
    othersAreAnswered(200);
    assertTrue(fixture.colony.said.get() < MESSAGES / 2, fixture.colony.said + " messages");
    for (int i = 1; i < MESSAGES; i++) {
      assertTrue(get(reader.pull()).isPresent());
    }
    assertEquals(Optional.empty(), get(reader.pull()));
  }

  @Test
  void aReaderOverHttp1ThatStopsSlowsTheColonyDownAndNobodyElse() throws Exception {
    try (Socket socket = new Socket()) {
      socket.setReceiveBufferSize(64 << 10);
      socket.connect(fixture.proxy.address());
      byte[] count = PingAgentRequest.newBuilder().setCount(MESSAGES).build().toByteArray();
      OutputStream out = socket.getOutputStream();
      out.write(
          ("POST /"
                  + COLONY
                  + "PingAgent HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                  + "Content-Type: application/grpc-web+proto\r\nContent-Length: "
                  + (5 + count.length)
                  + "\r\n\r\n")
              .getBytes(US_ASCII));
      out.write(new byte[] {0, 0, 0, 0, (byte) count.length});
      out.write(count);
      InputStream in = socket.getInputStream();
      assertEquals('H', in.read());
      othersAreAnswered(200);
      assertTrue(fixture.colony.said.get() < MESSAGES / 2, fixture.colony.said + " messages");
      long read = 1;
      byte[] buffer = new byte[64 << 10];
      for (int length = in.read(buffer); length >= 0; length = in.read(buffer)) {
        read += length;
      }
      assertTrue(read > 100 * MEBIBYTE, read + " bytes");
      assertEquals(MESSAGES, fixture.colony.said.get());
    }
  }

  private void othersAreAnswered(int times) throws Exception {
    var others = fixture.grpc();
    for (int i = 0; i < times; i++) {
      get(others.getStatus(GetStatusRequest.getDefaultInstance()));
    }
  }

  private MeshServiceClient session() {
    return MeshServiceClient.create(
        RpcChannel.settings(fixture.endpoint(), Optional.empty(), fixture.colony.system),
        fixture.colony.system);
  }

  private static AgentMessage large(int sequence) {
    return AgentMessage.newBuilder()
        .setHeartbeat(
            Heartbeat.newBuilder()
                .setSequence(sequence)
                .addProbes(Probe.newBuilder().setTarget("x".repeat(64_000))))
        .build();
  }

  /** What is in use after everything that can be freed has been. */
  private record Memory(long heap, long direct) {
    static Memory now() {
      System.gc();
      assertTrue(PlatformDependent.usedDirectMemory() > 0, "direct memory is not counted");
      return new Memory(
          ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed(),
          PlatformDependent.usedDirectMemory());
    }

    long above(Memory other) {
      return heap - other.heap + Math.max(0, direct - other.direct);
    }
  }
}
