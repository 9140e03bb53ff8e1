package coral.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Empty;
import com.google.protobuf.Message;
import coral.api.colony.v1.Agent;
import coral.api.colony.v1.Allocation;
import coral.api.colony.v1.AllowRebindResponse;
import coral.api.colony.v1.AuditRecord;
import coral.api.colony.v1.Certificate;
import coral.api.colony.v1.CreateInvitationResponse;
import coral.api.colony.v1.GetAuthorityStatusResponse;
import coral.api.colony.v1.GetStatusResponse;
import coral.api.colony.v1.GetTopologyResponse;
import coral.api.colony.v1.Invitation;
import coral.api.colony.v1.ListAllocationsResponse;
import coral.api.colony.v1.Peer;
import coral.api.colony.v1.RotateSecretResponse;
import coral.api.discovery.v1.HealthResponse;
import coral.model.AgentId;
import coral.model.ColonyId;
import coral.model.Endpoint;
import coral.model.Fingerprint;
import coral.model.InvitationText;
import coral.proxy.ProxyState;
import coral.proxy.RunningProcess;
import coral.proxy.Way;
import coral.rpc.Role;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What programs read of answers is kept: a field that is renamed, lost or moved is seen here. With
 * {@code -Dgolden.write=true} the files are written as the answers are now.
 */
class GoldenAnswersTest {
  private static final Path FILES = Path.of("src/test/resources/cli");
  private static final ColonyId COLONY = new ColonyId("shop-dev-1a2b3c");
  private static final Instant TIME = Instant.parse("2030-01-02T03:04:05.678Z");

  /** An answer with every field that it can have, and the message that it is about. */
  @SuppressWarnings("ImmutableEnumChecker") // sets that nobody can change
  private enum Answer {
    AGENTS(
        AgentsCommand.json(List.of(FilledMessage.of(Agent.getDefaultInstance()))),
        Agent.getDefaultInstance(),
        // in milliseconds, as roundTripIpv4Milliseconds
        Set.of("roundTripIpv4", "roundTripIpv6")),
    ALLOCATIONS(
        AllocationsCommand.json(FilledMessage.of(ListAllocationsResponse.getDefaultInstance())),
        Allocation.getDefaultInstance(),
        Set.of()),
    STATUS(
        StatusAnswer.json(FilledMessage.of(GetStatusResponse.getDefaultInstance())),
        GetStatusResponse.getDefaultInstance(),
        Set.of()),
    STATUS_OF_ALL(overview().json(), HealthResponse.getDefaultInstance(), Set.of()),
    TOPOLOGY(
        TopologyCommand.json(FilledMessage.of(GetTopologyResponse.getDefaultInstance())),
        GetTopologyResponse.getDefaultInstance(),
        Set.of()),
    AGENT_SHOW(
        AgentShowCommand.json(
            FilledMessage.of(Agent.getDefaultInstance()),
            FilledMessage.of(GetTopologyResponse.getDefaultInstance())),
        Agent.getDefaultInstance(),
        // in milliseconds, as roundTripIpv4Milliseconds
        Set.of("roundTripIpv4", "roundTripIpv6")),
    WG_SHOW(
        WgCommand.json(
            FilledMessage.of(GetStatusResponse.getDefaultInstance()),
            FilledMessage.of(GetTopologyResponse.getDefaultInstance())),
        Peer.getDefaultInstance(),
        // in milliseconds, as roundTripMilliseconds
        Set.of("roundTrip")),
    INVITE(
        InviteCommand.json(FilledMessage.of(CreateInvitationResponse.getDefaultInstance())),
        CreateInvitationResponse.getDefaultInstance(),
        // the line is called invitation, and its fields stand beside it
        Set.of("text")),
    INVITES(
        InvitesCommand.json(List.of(FilledMessage.of(Invitation.getDefaultInstance()))),
        Invitation.getDefaultInstance(),
        Set.of()),
    CA_STATUS(
        CaStatusCommand.json(FilledMessage.of(GetAuthorityStatusResponse.getDefaultInstance())),
        GetAuthorityStatusResponse.getDefaultInstance(),
        // for 'coral ca export'
        Set.of("revocationLists")),
    CERTIFICATES(
        CertificatesListCommand.json(List.of(FilledMessage.of(Certificate.getDefaultInstance()))),
        Certificate.getDefaultInstance(),
        Set.of()),
    SECRET(
        SecretCommand.json(FilledMessage.of(RotateSecretResponse.getDefaultInstance())),
        RotateSecretResponse.getDefaultInstance(),
        // the one that a colony has
        Set.of("colonySecret")),
    ALLOW_REBIND(
        AgentCommand.json(
            new AgentId("web-1"), FilledMessage.of(AllowRebindResponse.getDefaultInstance())),
        AllowRebindResponse.getDefaultInstance(),
        Set.of()),
    AUDIT(
        AuditCommand.Structured.json(FilledMessage.of(AuditRecord.getDefaultInstance())),
        AuditRecord.getDefaultInstance(),
        Set.of()),
    CONTEXT(Json.object(context()::put), Empty.getDefaultInstance(), Set.of());

    private final String json;
    private final Message message;
    private final Set<String> otherwise;

    /**
     * @param otherwise fields that have another name, or stand elsewhere
     */
    Answer(String json, Message message, Set<String> otherwise) {
      this.json = json;
      this.message = message;
      this.otherwise = otherwise;
    }

    private Path file(String suffix) {
      return FILES.resolve(name().toLowerCase(java.util.Locale.ROOT).replace('_', '-') + suffix);
    }
  }

  private static ContextSummary context() {
    return new ContextSummary(
        COLONY,
        true,
        Path.of("/home/user/.coral/colonies/shop-dev-1a2b3c"),
        false,
        Optional.of(new ContextSummary.Asker("operator", "olga", TIME)),
        List.of(new Endpoint("203.0.113.42", 9000)),
        Optional.of(
            new InvitationText.Discovery(
                "https://discovery.example:8080",
                Optional.of(new Fingerprint("sha256:" + "0a".repeat(32))))),
        Optional.of("none"));
  }

  private static StatusOverview overview() {
    HealthResponse health = FilledMessage.of(HealthResponse.getDefaultInstance());
    GetStatusResponse status = FilledMessage.of(GetStatusResponse.getDefaultInstance());
    Endpoint listen = new Endpoint("127.0.0.1", 8000);
    return new StatusOverview(
        List.of(
            new StatusOverview.DiscoveryState("https://a:8080", Optional.of(health), ""),
            new StatusOverview.DiscoveryState("https://b:8080", Optional.empty(), "why")),
        List.of(
            new StatusOverview.ColonyState(
                COLONY,
                Optional.of(Route.proxy(listen, "process 7", Role.VIEWER)),
                Optional.of(status),
                "",
                List.of()),
            new StatusOverview.ColonyState(
                COLONY, Optional.empty(), Optional.empty(), "why", List.of("proxy: none"))),
        List.of(
            new ProxyState(
                COLONY,
                new AgentId("proxy-user-host"),
                new RunningProcess(7, "42"),
                false,
                listen,
                false,
                Optional.of(
                    new ProxyState.Mesh(
                        "10.42.0.15", "fd42::f", "10.42.0.1", "fd42::1", 9000, "coral0")),
                Optional.of(Way.MESH),
                Optional.of(new Endpoint("10.42.0.1", 9000)),
                Optional.empty(),
                Optional.of(Role.PROXY),
                ProxyState.Status.CONNECTED,
                Optional.empty(),
                TIME,
                TIME)));
  }

  @ParameterizedTest
  @EnumSource
  void anAnswerIsAsPromised(Answer answer) throws IOException {
    String json = new ObjectMapper().readTree(answer.json).toPrettyString() + "\n";
    String yaml = OutputFormat.YAML.document(answer.json);
    if (Boolean.getBoolean("golden.write")) {
      Files.createDirectories(FILES);
      Files.writeString(answer.file(".json"), json);
      Files.writeString(answer.file(".yaml"), yaml);
    }
    assertEquals(Files.readString(answer.file(".json")), json);
    assertEquals(Files.readString(answer.file(".yaml")), yaml);
    assertEquals(new ObjectMapper().readTree(json), new YAMLMapper().readTree(yaml));
  }

  /** What the protocol tells is told on, by the name that protobuf's JSON has for it. */
  @ParameterizedTest
  @EnumSource
  void noFieldOfTheMessageIsLostOrHasAnotherName(Answer answer) throws IOException {
    Set<String> names = names(new ObjectMapper().readTree(answer.json));
    Set<String> missing = new TreeSet<>();
    for (FieldDescriptor field : answer.message.getDescriptorForType().getFields()) {
      missing.add(field.getJsonName());
    }
    missing.removeAll(names);
    missing.removeAll(answer.otherwise);
    assertEquals(Set.of(), missing);
  }

  private static Set<String> names(JsonNode json) {
    Set<String> names = new HashSet<>();
    json.fieldNames().forEachRemaining(names::add);
    json.forEach(child -> names.addAll(names(child)));
    return names;
  }

  @Test
  void noFileIsLeftOfAnAnswerThatIsGone() throws IOException {
    List<Path> known = new ArrayList<>();
    for (Answer answer : Answer.values()) {
      known.add(answer.file(".json"));
      known.add(answer.file(".yaml"));
    }
    try (var files = Files.list(FILES)) {
      assertEquals(new TreeSet<>(known), new TreeSet<>(files.toList()));
    }
  }
}
