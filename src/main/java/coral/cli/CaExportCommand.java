package coral.cli;

import com.google.protobuf.ByteString;
import coral.api.colony.v1.Authority;
import coral.api.colony.v1.GetAuthorityStatusRequest;
import coral.api.colony.v1.GetAuthorityStatusResponse;
import coral.api.colony.v1.GetCACertificateRequest;
import coral.api.colony.v1.GetCACertificateResponse;
import coral.api.colony.v1.RevocationList;
import coral.files.Pem;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.GeneralSecurityException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code coral ca export}. */
@Command(
    name = "export",
    description = {
      "Write the colony's trust bundle, or its revocation lists, for other programs.",
      "",
      "The bundle is one root or, while the root is rotated, two. There is a revocation list for"
          + " each authority: roots and intermediates. PEM holds all of them, DER one."
    },
    footer = {
      "A file is replaced in one move: whoever reads it sees the former content or the new one.",
      "",
      "Examples:",
      "  coral ca export --out ca.pem",
      "  coral ca export --crl --issuer agent | openssl crl -noout -text",
      "  coral ca export --crl -o der --issuer agent --out /srv/www/agents.crl"
    })
final class CaExportCommand implements Callable<Integer> {
  /** How what is exported is encoded. */
  enum Format {
    PEM,
    DER;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** What an authority issues; as the protocol names it. */
  enum Issuer {
    ROOT,
    SERVER,
    AGENT;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  @Spec private @Nullable CommandSpec spec;
  @Mixin private ColonyOptions options = new ColonyOptions();

  @Option(names = "--crl", description = "The revocation lists (RFC 5280), not the bundle.")
  private boolean crl;

  @Option(
      names = "--issuer",
      paramLabel = "KIND",
      description = "Only the list of the active authority of this kind: ${COMPLETION-CANDIDATES}.")
  private @Nullable Issuer issuer;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FORMAT",
      defaultValue = "pem",
      description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}); der needs --out.")
  private Format format = Format.PEM;

  @Option(
      names = "--out",
      paramLabel = "FILE",
      description = "Where to (default: standard output).")
  private @Nullable Path file;

  @Override
  public Integer call() {
    if (format == Format.DER && file == null) {
      throw wrong("-o der is not for a terminal: say where to with --out FILE");
    }
    if (issuer != null && !crl) {
      throw wrong("--issuer chooses a revocation list: add --crl");
    }
    ColonyClient client = options.connect();
    List<byte[]> content = crl ? lists(client) : roots(client);
    byte[] bytes = format == Format.PEM ? pem(content) : only(content);
    if (file == null) {
      PrintWriter out = options.out();
      out.print(new String(bytes, StandardCharsets.US_ASCII));
      out.flush();
    } else {
      replace(file, bytes);
    }
    return CommandLine.DONE;
  }

  private ParameterException wrong(String message) {
    return new ParameterException(CoralCommand.given(spec).commandLine(), message);
  }

  private static List<byte[]> roots(ColonyClient client) {
    ByteString bundle =
        client
            .ask(
                Services.COLONY + "GetCACertificate",
                GetCACertificateRequest.getDefaultInstance(),
                GetCACertificateResponse.parser())
            .getCaCertificate();
    try {
      List<byte[]> roots = new ArrayList<>();
      for (X509Certificate root : Pem.certificates(bundle.toByteArray())) {
        roots.add(root.getEncoded());
      }
      return roots;
    } catch (IllegalArgumentException | GeneralSecurityException e) {
      throw notOurs("its trust bundle cannot be read: " + e.getMessage(), e);
    }
  }

  private List<byte[]> lists(ColonyClient client) {
    GetAuthorityStatusResponse status =
        client.ask(
            Services.CERTIFICATES + "GetAuthorityStatus",
            GetAuthorityStatusRequest.newBuilder().setWithRevocationLists(true).build(),
            GetAuthorityStatusResponse.parser());
    List<byte[]> lists = new ArrayList<>();
    String wanted = issuer == null ? "" : signing(status, issuer);
    for (RevocationList list : status.getRevocationListsList()) {
      if (issuer == null || list.getIssuerFingerprint().equals(wanted)) {
        lists.add(readable(list.getCrl().toByteArray()));
      }
    }
    if (lists.isEmpty()) {
      throw new CommandFailedException(
          issuer == null
              ? "the colony has no revocation list"
              : "the colony has no revocation list of an active '" + issuer + "' authority",
          "A list is signed by its authority's key: 'coral ca status' shows which are online.");
    }
    return lists;
  }

  /** Fingerprint of the authority of a kind that signs: while two roots are good, the later one. */
  private static String signing(GetAuthorityStatusResponse status, Issuer wanted) {
    return status.getAuthoritiesList().stream()
        .filter(authority -> authority.getKind().equals(wanted.toString()))
        .filter(authority -> authority.getState().equals("active"))
        .reduce((earlier, later) -> later)
        .map(Authority::getFingerprint)
        .orElse("none");
  }

  private static byte[] readable(byte[] der) {
    try {
      CertificateFactory.getInstance("X.509").generateCRL(new ByteArrayInputStream(der));
      return der;
    } catch (GeneralSecurityException e) {
      throw notOurs("its revocation list cannot be read: " + e.getMessage(), e);
    }
  }

  private static CommandFailedException notOurs(String what, Exception cause) {
    return new CommandFailedException(
        "the colony's answer makes no sense: " + what, "Nothing was written.", cause);
  }

  private byte[] pem(List<byte[]> content) {
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    for (byte[] der : content) {
      text.writeBytes(
          Pem.encode(crl ? Pem.REVOCATION_LIST : Pem.CERTIFICATE, der)
              .getBytes(StandardCharsets.US_ASCII));
    }
    return text.toByteArray();
  }

  private byte[] only(List<byte[]> content) {
    if (content.size() > 1) {
      throw new CommandFailedException(
          crl
              ? "there are " + content.size() + " revocation lists, and DER holds one"
              : "the trust bundle has " + content.size() + " roots, and DER holds one",
          crl
              ? "Choose one with --issuer agent, server or root, or export PEM."
              : "Export PEM while the root is rotated.");
    }
    return content.get(0);
  }

  private static void replace(Path file, byte[] bytes) {
    Path whole = file.toAbsolutePath();
    Path temporary = whole.resolveSibling(whole.getFileName() + ".new");
    try {
      Files.write(temporary, bytes);
      Files.move(temporary, whole, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new CommandFailedException(
          file + " cannot be written: " + e,
          "Check that its folder exists and that you may write there.",
          e);
    }
  }
}
