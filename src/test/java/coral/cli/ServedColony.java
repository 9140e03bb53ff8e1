package coral.cli;

import com.google.protobuf.Descriptors.MethodDescriptor;
import com.google.protobuf.Descriptors.ServiceDescriptor;
import com.google.protobuf.Message;
import com.typesafe.config.ConfigFactory;
import coral.api.colony.v1.CertificateService;
import coral.api.colony.v1.CertificateServiceHandlerFactory;
import coral.api.colony.v1.ColonyService;
import coral.api.colony.v1.ColonyServiceHandlerFactory;
import coral.api.colony.v1.InvitationService;
import coral.api.colony.v1.InvitationServiceHandlerFactory;
import coral.api.colony.v1.SecretService;
import coral.api.colony.v1.SecretServiceHandlerFactory;
import coral.api.discovery.v1.DiscoveryService;
import coral.api.discovery.v1.DiscoveryServiceHandlerFactory;
import coral.files.Pem;
import coral.model.ColonyId;
import coral.model.Endpoint;
import coral.model.RefusedException;
import coral.rpc.CallerIdentity;
import coral.rpc.ClientCertificate;
import coral.rpc.Role;
import coral.rpc.RpcAuthorization;
import coral.rpc.RpcServer;
import coral.rpc.ServerTls;
import coral.rpc.TestAuthority;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.apache.pekko.actor.ActorSystem;

/**
 * The port of a colony with nothing behind it: real TLS and the real protocol, and answers that a
 * test decides. Its folder is where commands look for it.
 */
final class ServedColony implements AutoCloseable {
  static final String ID = "shop-test-a1b2c3";

  private final ActorSystem system;
  private final Path home;
  private final int port;
  private final Map<String, Function<Message, Message>> answers = new ConcurrentHashMap<>();
  private final List<Message> requests = new CopyOnWriteArrayList<>();

  ServedColony(Path home) throws Exception {
    this.home = home;
    system =
        ActorSystem.create(
            "served-colony", ConfigFactory.load("pekko").withFallback(ConfigFactory.load()));
    TestAuthority authority = new TestAuthority("Coral Colony CA");
    ClientCertificate own = authority.server(ID);
    RpcServer server =
        server(
            CallerIdentity.ofColony(new ColonyId(ID), c -> true, InstantSource.system()),
            Role.ADMINISTRATOR);
    port =
        server
            .bind(
                "127.0.0.1",
                0,
                Optional.of(
                    ServerTls.of(own.key(), own.chain(), Optional.of(authority.root()), c -> true)))
            .toCompletableFuture()
            .get(10, TimeUnit.SECONDS)
            .localAddress()
            .getPort();
    writeFolder(authority);
  }

  /** What is served, to callers of one role. */
  private RpcServer server(CallerIdentity callers, Role role) {
    Map<String, Set<Role>> table = new HashMap<>();
    for (ServiceDescriptor service : services()) {
      for (MethodDescriptor rpc : service.getMethods()) {
        table.put(service.getFullName() + "/" + rpc.getName(), Set.of(role));
      }
    }
    return RpcServer.builder(system, callers, RpcAuthorization.of(table))
        .service(
            ColonyService.class,
            ColonyService.description,
            caller -> service(ColonyService.class),
            ColonyServiceHandlerFactory::create)
        .service(
            CertificateService.class,
            CertificateService.description,
            caller -> service(CertificateService.class),
            CertificateServiceHandlerFactory::create)
        .service(
            InvitationService.class,
            InvitationService.description,
            caller -> service(InvitationService.class),
            InvitationServiceHandlerFactory::create)
        .service(
            SecretService.class,
            SecretService.description,
            caller -> service(SecretService.class),
            SecretServiceHandlerFactory::create)
        .service(
            DiscoveryService.class,
            DiscoveryService.description,
            caller -> service(DiscoveryService.class),
            DiscoveryServiceHandlerFactory::create)
        .build();
  }

  /** The same answers for anybody, without TLS, as a proxy's callers and a discovery's have it. */
  Endpoint inPlaintext() throws Exception {
    return new Endpoint(
        "127.0.0.1",
        server(CallerIdentity.none(), Role.ANYONE)
            .bind("127.0.0.1", 0, Optional.empty())
            .toCompletableFuture()
            .get(10, TimeUnit.SECONDS)
            .localAddress()
            .getPort());
  }

  private static List<ServiceDescriptor> services() {
    List<ServiceDescriptor> services = new ArrayList<>();
    services.addAll(ColonyService.description.descriptor().getServices());
    services.addAll(CertificateService.description.descriptor().getServices());
    services.addAll(InvitationService.description.descriptor().getServices());
    services.addAll(SecretService.description.descriptor().getServices());
    services.addAll(DiscoveryService.description.descriptor().getServices());
    return services;
  }

  private void writeFolder(TestAuthority authority) throws Exception {
    Path folder = home.resolve("colonies").resolve(ID);
    Path admin =
        Files.createDirectories(
            folder.resolve("admin"),
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    ClientCertificate administrator = authority.administrator(ID, "admin");
    Files.writeString(folder.resolve("ca-cert.pem"), Pem.encode(authority.root()));
    Files.writeString(admin.resolve("cert.pem"), Pem.encode(administrator.chain()));
    Path key =
        Files.createFile(
            admin.resolve("key.pem"),
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    Files.writeString(key, Pem.encode(administrator.key()));
  }

  /** The generated interface, answered by what {@link #answer} was told. */
  private <T> T service(Class<T> api) {
    return api.cast(
        Proxy.newProxyInstance(
            api.getClassLoader(),
            new Class<?>[] {api},
            (proxy, method, arguments) -> {
              Message request = (Message) arguments[0];
              requests.add(request);
              Function<Message, Message> answer = answers.get(method.getName());
              if (answer == null) {
                throw new AssertionError(method + " was not expected");
              }
              try {
                return CompletableFuture.completedFuture(answer.apply(request));
              } catch (RefusedException e) {
                return CompletableFuture.failedFuture(e);
              }
            }));
  }

  /** From now on the rpc of this name is answered so; a {@link RefusedException} refuses it. */
  <Q extends Message> void answer(String rpc, Class<Q> request, Function<Q, Message> answer) {
    String name = rpc.substring(0, 1).toLowerCase(Locale.ROOT) + rpc.substring(1);
    answers.put(name, message -> answer.apply(request.cast(message)));
  }

  /** What was asked since the last call of this. */
  List<Message> asked() {
    List<Message> asked = List.copyOf(requests);
    requests.clear();
    return asked;
  }

  /** Of its port with TLS. */
  Endpoint endpoint() {
    return new Endpoint("127.0.0.1", port);
  }

  /** Where commands look for what they know of it. */
  Path folder() {
    return home.resolve("colonies").resolve(ID);
  }

  /** Runs a command against this colony. */
  Cli coral(String... arguments) {
    return Cli.run(
        Map.of("CORAL_HOME", home.toString(), "CORAL_COLONY_PORT", Integer.toString(port)),
        arguments);
  }

  @Override
  public void close() throws Exception {
    system.terminate();
    system.getWhenTerminated().toCompletableFuture().get(20, TimeUnit.SECONDS);
  }
}
