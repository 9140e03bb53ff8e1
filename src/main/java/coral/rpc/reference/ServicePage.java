package coral.rpc.reference;

import com.google.protobuf.DescriptorProtos.MethodOptions.IdempotencyLevel;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.EnumDescriptor;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.GenericDescriptor;
import com.google.protobuf.Descriptors.MethodDescriptor;
import com.google.protobuf.Descriptors.ServiceDescriptor;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;

/** One service: its rpcs with their messages, and the types that these are made of. */
final class ServicePage {
  private static final String ANYONE = "anyone";
  private static final String WELL_KNOWN = "google.protobuf.";

  private final ApiReference.Server server;
  private final ApiComments comments;
  private final Function<String, Collection<String>> callers;

  ServicePage(
      ApiReference.Server server,
      ApiComments comments,
      Function<String, Collection<String>> callers) {
    this.server = server;
    this.comments = comments;
    this.callers = callers;
  }

  String of(ServiceDescriptor service) {
    Html html =
        Html.page(
            service.getName(),
            "<a href=\""
                + ApiReference.PATH
                + "\">"
                + Html.escaped(server.title())
                + "</a> / "
                + Html.escaped(service.getName()));
    html.raw("<p class=\"name\">").text(service.getFullName()).raw("</p>\n");
    html.paragraphs(comments.of(service));
    Map<String, GenericDescriptor> types = new TreeMap<>();
    for (MethodDescriptor rpc : service.getMethods()) {
      rpc(html, rpc);
      collect(rpc.getInputType(), types);
      collect(rpc.getOutputType(), types);
    }
    for (MethodDescriptor rpc : service.getMethods()) { // these stand at their rpc
      types.remove(rpc.getInputType().getFullName());
      types.remove(rpc.getOutputType().getFullName());
    }
    if (!types.isEmpty()) {
      html.raw("<h2 id=\"types\">Types</h2>\n");
      types.values().forEach(type -> type(html, type));
    }
    return html.end();
  }

  private void rpc(Html html, MethodDescriptor rpc) {
    html.raw("<section id=\"" + Html.escaped(rpc.getName()) + "\">\n<h2>");
    html.text(rpc.getName()).raw("</h2>\n");
    html.paragraphs(comments.of(rpc));
    html.raw("<p class=\"callers\">").text(whoMay(callers.apply(ApiReference.rpc(rpc))));
    html.raw("</p>\n");
    commands(html, rpc);
    message(html, rpc.isClientStreaming() ? "Requests, a stream" : "Request", rpc.getInputType());
    message(html, rpc.isServerStreaming() ? "Answers, a stream" : "Answer", rpc.getOutputType());
    html.raw("</section>\n");
  }

  private static String whoMay(Collection<String> roles) {
    if (roles.isEmpty()) {
      return "Nobody may call it.";
    }
    List<String> known = roles.stream().filter(role -> !role.equals(ANYONE)).sorted().toList();
    if (!roles.contains(ANYONE)) {
      return "May be called with a certificate of the role " + String.join(", ", known) + ".";
    }
    return "Anybody may call it" + (known.isEmpty() ? "." : ", with a certificate or without.");
  }

  private void commands(Html html, MethodDescriptor rpc) {
    CallLines lines = new CallLines(server, ApiReference.rpc(rpc), comments.example(rpc));
    if (rpc.isClientStreaming()) {
      html.command(lines.bufCurl());
    } else if (rpc.isServerStreaming()) {
      html.command(lines.streamingCurl()).raw("<p>Or by gRPC:</p>\n").command(lines.bufCurl());
    } else {
      html.command(lines.curl());
      if (rpc.getOptions().getIdempotencyLevel() == IdempotencyLevel.NO_SIDE_EFFECTS) {
        html.raw("<p>Or by GET:</p>\n").command(lines.curlGet());
      }
    }
  }

  private void message(Html html, String heading, Descriptor type) {
    html.raw("<h3 id=\"" + Html.escaped(type.getFullName()) + "\">").text(heading);
    html.raw(" <span class=\"type\">").text(type.getName()).raw("</span></h3>\n");
    html.paragraphs(comments.of(type));
    fields(html, type);
  }

  private void type(Html html, GenericDescriptor type) {
    html.raw("<section id=\"" + Html.escaped(type.getFullName()) + "\">\n<h3>");
    html.text(type.getName()).raw("</h3>\n").paragraphs(comments.of(type));
    if (type instanceof Descriptor message) {
      fields(html, message);
    } else if (type instanceof EnumDescriptor values) {
      html.raw("<dl>\n");
      for (EnumValueDescriptor value : values.getValues()) {
        html.raw("<dt><code>").text(value.getName()).raw("</code></dt>\n<dd>");
        html.text(comments.of(value)).raw("</dd>\n");
      }
      html.raw("</dl>\n");
    }
    html.raw("</section>\n");
  }

  private void fields(Html html, Descriptor type) {
    if (type.getFields().isEmpty()) {
      html.raw("<p>It has no fields.</p>\n");
      return;
    }
    html.raw("<dl>\n");
    for (FieldDescriptor field : type.getFields()) {
      html.raw("<dt><code>").text(field.getJsonName()).raw("</code> <span class=\"type\">");
      html.raw(typeHtml(field)).raw("</span></dt>\n<dd>").text(comments.of(field));
      html.raw("</dd>\n");
    }
    html.raw("</dl>\n");
  }

  private static String typeHtml(FieldDescriptor field) {
    if (field.isMapField()) {
      List<FieldDescriptor> entry = field.getMessageType().getFields();
      return "map of " + typeHtml(entry.get(0)) + " to " + typeHtml(entry.get(1));
    }
    String one =
        switch (field.getJavaType()) {
          case MESSAGE -> messageHtml(field.getMessageType());
          case ENUM -> link(field.getEnumType());
          case BYTE_STRING -> "bytes, in base64";
          case LONG -> field.getType().name().toLowerCase(Locale.ROOT) + ", as text";
          case BOOLEAN, DOUBLE, FLOAT, INT, STRING ->
              field.getType().name().toLowerCase(Locale.ROOT);
        };
    return field.isRepeated() ? "list of " + one : one;
  }

  private static String messageHtml(Descriptor type) {
    return switch (type.getFullName()) {
      case "google.protobuf.Timestamp" -> "time, such as &quot;2026-01-31T12:00:00Z&quot;";
      case "google.protobuf.Duration" -> "duration, such as &quot;1.5s&quot;";
      default -> link(type);
    };
  }

  private static String link(GenericDescriptor type) {
    return "<a href=\"#"
        + Html.escaped(type.getFullName())
        + "\">"
        + Html.escaped(type.getName())
        + "</a>";
  }

  private static void collect(Descriptor type, Map<String, GenericDescriptor> types) {
    if (type.getFullName().startsWith(WELL_KNOWN)
        || types.putIfAbsent(type.getFullName(), type) != null) {
      return;
    }
    for (FieldDescriptor field : type.getFields()) {
      if (field.isMapField()) {
        continue; // of ours none has messages in it
      }
      if (field.getJavaType() == FieldDescriptor.JavaType.MESSAGE) {
        collect(field.getMessageType(), types);
      } else if (field.getJavaType() == FieldDescriptor.JavaType.ENUM) {
        types.put(field.getEnumType().getFullName(), field.getEnumType());
      }
    }
  }
}
