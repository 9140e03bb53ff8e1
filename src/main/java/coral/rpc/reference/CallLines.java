package coral.rpc.reference;

import java.nio.charset.StandardCharsets;

/** Lines for a shell that make one call. */
final class CallLines {
  private final ApiReference.Server server;
  private final String rpc;
  private final String request;

  /**
   * @param rpc full name without a leading slash
   * @param request in JSON
   */
  CallLines(ApiReference.Server server, String rpc, String request) {
    this.server = server;
    this.rpc = rpc;
    this.request = request;
  }

  /** A unary call by Connect. */
  String curl() {
    return "curl "
        + options()
        + "-H 'content-type: application/json' \\\n  -d "
        + quoted(request)
        + " \\\n  "
        + url();
  }

  /** A query by Connect. */
  String curlGet() {
    return "curl "
        + options()
        + "-G --data-urlencode encoding=json \\\n  --data-urlencode "
        + quoted("message=" + request)
        + " \\\n  "
        + url();
  }

  /** By Connect: five bytes before the request say how long it is (Enveloped-Message). */
  String streamingCurl() {
    StringBuilder length = new StringBuilder();
    int bytes = request.getBytes(StandardCharsets.UTF_8).length;
    for (int shift = 24; shift >= 0; shift -= 8) {
      length.append(String.format("\\%03o", bytes >> shift & 0xff));
    }
    return "printf "
        + quoted("\\000" + length + request.replace("\\", "\\\\").replace("%", "%%"))
        + " |\n  curl "
        + options()
        + "-sN -H 'content-type: application/connect+json' --data-binary @- \\\n  "
        + url();
  }

  /** By gRPC, with the messages that reflection tells of. */
  String bufCurl() {
    String http2 = server.base().startsWith("http:") ? "--http2-prior-knowledge " : "";
    return "buf curl "
        + options()
        + "--protocol grpc "
        + http2
        + "\\\n  -d "
        + quoted(request)
        + " \\\n  "
        + url();
  }

  private String options() {
    return server.curlOptions().isEmpty() ? "" : server.curlOptions() + " ";
  }

  private String url() {
    return server.base() + "/" + rpc;
  }

  private static String quoted(String text) {
    return "'" + text.replace("'", "'\\''") + "'";
  }
}
