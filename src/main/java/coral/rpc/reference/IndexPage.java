package coral.rpc.reference;

import com.google.protobuf.Descriptors.MethodDescriptor;
import com.google.protobuf.Descriptors.ServiceDescriptor;
import java.util.List;

/** Which services there are, and how to call any of them. */
final class IndexPage {
  private final ApiReference.Server server;
  private final ApiComments comments;

  IndexPage(ApiReference.Server server, ApiComments comments) {
    this.server = server;
    this.comments = comments;
  }

  String of(List<ServiceDescriptor> services) {
    Html html = Html.page(server.title(), "API");
    html.paragraphs(server.introduction());
    html.raw(
        "<p>Each service answers gRPC, gRPC-Web and Connect on the same port: a POST of JSON ");
    html.raw("is a call. Errors carry a code, a message and details; the failure's name is in a ");
    html.raw("<code>google.rpc.ErrorInfo</code>. Requests may be compressed with gzip, and have ");
    html.raw("deadlines (<code>grpc-timeout</code>, <code>Connect-Timeout-Ms</code>). Server ");
    html.raw("reflection tells clients like <code>buf curl</code> and <code>grpcurl</code> what ");
    html.raw("is here.</p>\n");
    for (ServiceDescriptor service : services) {
      String page = Html.escaped(ApiReference.PATH + service.getFullName());
      html.raw("<h2><a href=\"" + page + "\">").text(service.getName()).raw("</a></h2>\n");
      html.raw("<p class=\"name\">").text(service.getFullName()).raw("</p>\n");
      html.paragraphs(comments.of(service));
      html.raw("<ul>\n");
      for (MethodDescriptor rpc : service.getMethods()) {
        html.raw("<li><a href=\"" + page + "#" + Html.escaped(rpc.getName()) + "\">");
        html.text(rpc.getName()).raw("</a> ").text(firstSentence(comments.of(rpc)));
        html.raw("</li>\n");
      }
      html.raw("</ul>\n");
    }
    return html.end();
  }

  private static String firstSentence(String comment) {
    String line = comment.replace('\n', ' ');
    int end = line.indexOf(". ");
    return end < 0 ? line : line.substring(0, end + 1);
  }
}
