package coral.rpc;

import io.grpc.Status;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.apache.pekko.grpc.GrpcServiceException;
import org.apache.pekko.util.ByteString;
import org.jspecify.annotations.Nullable;

/**
 * A call in the query of a URL (the Connect protocol's Unary-Get-Request), in the order in which
 * clients write it or any other.
 */
final class ConnectQuery {
  private final ConnectProtocol form;
  private final Map<String, String> parameters;

  private ConnectQuery(ConnectProtocol form, Map<String, String> parameters) {
    this.form = form;
    this.parameters = parameters;
  }

  /**
   * Reads a query.
   *
   * @param query as it stands in the URL
   * @return empty if it does not say in which form the message is, or in none that is known
   */
  static Optional<ConnectQuery> of(String query) {
    Map<String, String> parameters = new HashMap<>();
    for (String parameter : query.split("&", -1)) {
      int equals = parameter.indexOf('=');
      if (equals > 0) {
        parameters.putIfAbsent(parameter.substring(0, equals), parameter.substring(equals + 1));
      }
    }
    @Nullable String encoding = parameters.get("encoding");
    return Optional.ofNullable(encoding)
        .flatMap(ConnectProtocol::ofName)
        .map(form -> new ConnectQuery(form, parameters));
  }

  /** The form of the message, and of its answer. */
  ConnectProtocol form() {
    return form;
  }

  /**
   * The message.
   *
   * @param maxBytes that it may have, also inflated
   * @throws GrpcServiceException INVALID_ARGUMENT, RESOURCE_EXHAUSTED or UNIMPLEMENTED
   */
  ByteString message(int maxBytes) {
    if (!parameters.getOrDefault("connect", "v1").equals("v1")) {
      throw invalid("the parameter connect is v1");
    }
    @Nullable String message = parameters.get("message");
    if (message == null) {
      throw invalid("the parameter message is missing");
    }
    Compression compression =
        CallHeaders.CONNECT_UNARY.compression(Optional.ofNullable(parameters.get("compression")));
    byte[] bytes = unescaped(message);
    if (parameters.getOrDefault("base64", "0").equals("1")) {
      bytes = decoded(bytes);
    }
    if (bytes.length > maxBytes) {
      throw RequestBody.tooLarge(maxBytes);
    }
    return compression.inflate(ByteString.fromArrayUnsafe(bytes), maxBytes);
  }

  /** What percent signs stand for are bytes, not characters. */
  private static byte[] unescaped(String text) {
    try {
      return URLDecoder.decode(text, StandardCharsets.ISO_8859_1)
          .getBytes(StandardCharsets.ISO_8859_1);
    } catch (IllegalArgumentException e) {
      throw invalid("the parameter message is not percent-encoded");
    }
  }

  /** With the alphabet for URLs or the other, padded or not. */
  private static byte[] decoded(byte[] base64) {
    String text =
        new String(base64, StandardCharsets.ISO_8859_1)
            .replace('-', '+')
            .replace('_', '/')
            .replace("=", "");
    try {
      return Base64.getDecoder().decode(text);
    } catch (IllegalArgumentException e) {
      throw invalid("the parameter message is not in base64");
    }
  }

  private static GrpcServiceException invalid(String why) {
    return new GrpcServiceException(Status.INVALID_ARGUMENT.withDescription(why));
  }
}
