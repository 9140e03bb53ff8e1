package coral.cli;

import coral.certificate.Identity;
import coral.files.Pem;
import coral.files.SecureFiles;
import coral.model.ColonyId;
import coral.model.Endpoint;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code coral context export}. */
@Command(
    name = "export",
    description = {
      "Write what another host needs to ask a colony, as one file.",
      "",
      "The file has the colony's id, roots, endpoints and discovery, and is no secret; whoever"
          + " imports it brings a proxy or an invitation. With --with-key it also has your"
          + " certificate and key: whoever has such a file is you."
    },
    footer = {
      "The file is JSON: {version, colonyId, endpoints[], discovery: {url, fingerprint}, mesh:",
      "{ipv4, ipv6}, authorities, certificate, key}; the last three are PEM.",
      "",
      "Examples:",
      "  coral context export > my-app.context",
      "  coral context export --endpoint colony.example:9000 --out my-app.context",
      "  coral context export --with-key --out - | ssh laptop coral context import -"
    })
final class ContextExportCommand implements Callable<Integer> {
  private static final String STANDARD_OUTPUT = "-";

  @Spec private @Nullable CommandSpec spec;
  @Mixin private ContextOptions.Subject subject = new ContextOptions.Subject();

  @Option(
      names = "--endpoint",
      paramLabel = "HOST:PORT",
      converter = ColonyOptions.EndpointConverter.class,
      description =
          "Where the colony answers; may be repeated, best first (default: what the context or the"
              + " colony's public-endpoints say).")
  private List<Endpoint> endpoints = List.of();

  @Option(
      names = "--with-key",
      description = "Also the certificate and key that commands ask as; needs --out.")
  private boolean withKey;

  @Option(
      names = "--out",
      paramLabel = "FILE",
      description = "Where to, for its owner only; '-' is standard output (the default).")
  private @Nullable String out;

  @Override
  public Integer call() {
    if (withKey && out == null) {
      throw new ParameterException(
          CoralCommand.given(spec).commandLine(),
          "--with-key writes a secret: say where to with --out FILE, or --out - for a pipe");
    }
    CoralCommand root = CoralCommand.root(spec);
    ColonyId id = subject.in(root);
    PortableContext context = context(ColonyContext.load(root.home(), id, root.environment()));
    PrintWriter err = CoralCommand.given(spec).commandLine().getErr();
    if (withKey) {
      err.println("This file has a private key: whoever reads it can ask the colony as you.");
    }
    if (context.record().endpoints().isEmpty() && context.record().discovery().isEmpty()) {
      err.println(
          "The file does not say where the colony is: add --endpoint HOST:PORT, or use it with a"
              + " proxy.");
    }
    err.flush();
    write(context.render());
    return CommandLine.DONE;
  }

  private PortableContext context(ColonyContext colony) {
    Path folder = colony.folder();
    try {
      return new PortableContext(
          new ContextRecord(
              colony.id(),
              endpoints.isEmpty() ? colony.endpoints() : endpoints,
              colony.discovery(),
              colony.mesh()),
          Pem.readCertificates(AskerIdentity.authorities(folder)),
          withKey
              ? Optional.of(
                  Identity.load(AskerIdentity.certificate(folder), AskerIdentity.key(folder)))
              : Optional.empty());
    } catch (IOException | IllegalArgumentException e) {
      throw new CommandFailedException(
          "colony " + colony.id() + " cannot be exported: " + e.getMessage(),
          "'coral context show " + colony.id() + "' tells what is known of it.",
          e);
    }
  }

  private void write(String text) {
    if (out == null || out.equals(STANDARD_OUTPUT)) {
      PrintWriter answer = CoralCommand.out(spec);
      answer.print(text);
      answer.flush();
      return;
    }
    try {
      SecureFiles.write(Path.of(out), text.getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new CommandFailedException(
          out + " cannot be written: " + e.getMessage(), "Name another file with --out.", e);
    }
  }
}
