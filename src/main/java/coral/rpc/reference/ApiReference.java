package coral.rpc.reference;

import com.google.protobuf.Descriptors.MethodDescriptor;
import com.google.protobuf.Descriptors.ServiceDescriptor;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;

/**
 * The pages about what a server serves: an index, and one page for each service with its rpcs,
 * their messages, who may call them, and a line that does. Plain HTML without scripts, made once.
 */
public final class ApiReference {
  /**
   * A page or its style.
   *
   * @param contentType with its character set
   */
  public record Page(String contentType, String content) {}

  /**
   * What the pages say of the server.
   *
   * @param title of the server, such as {@code Colony shop-prod-a3f2e1}
   * @param introduction how its callers reach it, for people
   * @param curlOptions what curl and buf need to call it; empty if nothing
   * @param base where the lines call it, such as {@code http://127.0.0.1:8000}
   */
  public record Server(String title, String introduction, String curlOptions, String base) {}

  /** Below this path the pages are served, the slash before them included. */
  public static final String PATH = "/api/";

  static final String STYLE = "style.css";

  private final Map<String, Page> pages = new HashMap<>();

  private ApiReference() {}

  /**
   * Makes the pages.
   *
   * @param callers the roles that may call an rpc, of which {@code anyone} has no certificate; the
   *     rpc by its full name without a leading slash
   */
  public static ApiReference of(
      Collection<ServiceDescriptor> services,
      Function<String, Collection<String>> callers,
      Server server) {
    ApiComments comments = ApiComments.load();
    List<ServiceDescriptor> sorted =
        services.stream().sorted(Comparator.comparing(ServiceDescriptor::getFullName)).toList();
    ApiReference reference = new ApiReference();
    reference.html("", new IndexPage(server, comments).of(sorted));
    for (ServiceDescriptor service : sorted) {
      reference.html(service.getFullName(), new ServicePage(server, comments, callers).of(service));
    }
    reference.pages.put(STYLE, new Page("text/css; charset=UTF-8", style()));
    return reference;
  }

  /**
   * One page.
   *
   * @param name what follows {@link #PATH}: empty for the index, or the full name of a service
   */
  public Optional<Page> page(String name) {
    return Optional.ofNullable(pages.get(name));
  }

  private void html(String name, String content) {
    pages.put(name, new Page("text/html; charset=UTF-8", content));
  }

  /** An rpc as on the wire, without the leading slash. */
  static String rpc(MethodDescriptor method) {
    return method.getService().getFullName() + "/" + method.getName();
  }

  private static String style() {
    try (InputStream in =
        Objects.requireNonNull(ApiReference.class.getResourceAsStream(STYLE), STYLE)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
