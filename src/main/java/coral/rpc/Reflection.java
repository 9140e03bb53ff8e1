package coral.rpc;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.EnumDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.Descriptors.GenericDescriptor;
import com.google.protobuf.Descriptors.ServiceDescriptor;
import coral.api.reflection.v1.ErrorResponse;
import coral.api.reflection.v1.ExtensionNumberResponse;
import coral.api.reflection.v1.FileDescriptorResponse;
import coral.api.reflection.v1.ListServiceResponse;
import coral.api.reflection.v1.ServerReflection;
import coral.api.reflection.v1.ServerReflectionRequest;
import coral.api.reflection.v1.ServerReflectionResponse;
import coral.api.reflection.v1.ServiceResponse;
import io.grpc.Status;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.pekko.NotUsed;
import org.apache.pekko.grpc.GrpcServiceException;
import org.apache.pekko.stream.javadsl.Source;
import org.jspecify.annotations.Nullable;

/**
 * Server reflection (https://github.com/grpc/grpc/blob/master/doc/server-reflection.md): tells
 * clients that know nothing of us what is served and of which messages. Made of the descriptors of
 * the services that a server serves, and of nothing else.
 */
final class Reflection implements ServerReflection {
  /** Full name without a leading slash. */
  static final String RPC = ServerReflection.name + "/ServerReflectionInfo";

  /** As older clients call it; its messages are the same but for the name of their package. */
  static final String OLDER_RPC = "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";

  /** A name or a number. */
  static final int MAX_REQUEST_BYTES = 1 << 10;

  /** More than there are symbols; a stream that asks on must begin again. */
  static final int MAX_REQUESTS = 1000;

  private final Map<String, ServiceDescriptor> services = new TreeMap<>();
  private final Map<String, FileDescriptor> files = new HashMap<>();
  private final Map<String, FileDescriptor> symbols = new HashMap<>();

  /** Extended messages, each with its extensions by their numbers. */
  private final Map<String, Map<Integer, FileDescriptor>> extensions = new HashMap<>();

  Reflection(Collection<ServiceDescriptor> served) {
    for (ServiceDescriptor service : served) {
      services.put(service.getFullName(), service);
      add(service.getFile());
    }
  }

  private void add(FileDescriptor file) {
    if (files.putIfAbsent(file.getName(), file) != null) {
      return;
    }
    file.getDependencies().forEach(this::add);
    for (ServiceDescriptor service : file.getServices()) {
      add(service);
      service.getMethods().forEach(this::add);
    }
    file.getMessageTypes().forEach(this::addMessage);
    file.getEnumTypes().forEach(this::addEnum);
    file.getExtensions().forEach(this::addExtension);
  }

  private void add(GenericDescriptor symbol) {
    symbols.put(symbol.getFullName(), symbol.getFile());
  }

  private void addMessage(Descriptor message) {
    add(message);
    message.getFields().forEach(this::add);
    message.getOneofs().forEach(this::add);
    message.getNestedTypes().forEach(this::addMessage);
    message.getEnumTypes().forEach(this::addEnum);
    message.getExtensions().forEach(this::addExtension);
  }

  private void addEnum(EnumDescriptor type) {
    add(type);
    type.getValues().forEach(this::add);
  }

  private void addExtension(FieldDescriptor extension) {
    add(extension);
    extensions
        .computeIfAbsent(extension.getContainingType().getFullName(), type -> new TreeMap<>())
        .put(extension.getNumber(), extension.getFile());
  }

  @Override
  public Source<ServerReflectionResponse, NotUsed> serverReflectionInfo(
      Source<ServerReflectionRequest, NotUsed> requests) {
    return requests
        .zipWithIndex()
        .map(
            numbered -> {
              if (numbered.second() >= MAX_REQUESTS) {
                throw new GrpcServiceException(
                    Status.RESOURCE_EXHAUSTED.withDescription(
                        "a stream asks for at most " + MAX_REQUESTS + " things; open another"));
              }
              return answer(numbered.first());
            });
  }

  private ServerReflectionResponse answer(ServerReflectionRequest request) {
    ServerReflectionResponse.Builder response =
        ServerReflectionResponse.newBuilder()
            .setValidHost(request.getHost())
            .setOriginalRequest(request);
    switch (request.getMessageRequestCase()) {
      case LIST_SERVICES -> response.setListServicesResponse(list());
      case FILE_BY_FILENAME ->
          file(response, files.get(request.getFileByFilename()), request.getFileByFilename());
      case FILE_CONTAINING_SYMBOL -> {
        String symbol = request.getFileContainingSymbol();
        file(response, symbols.get(symbol), symbol);
      }
      case FILE_CONTAINING_EXTENSION -> {
        String type = request.getFileContainingExtension().getContainingType();
        int number = request.getFileContainingExtension().getExtensionNumber();
        file(response, ofType(type).get(number), "extension " + number + " of " + type);
      }
      case ALL_EXTENSION_NUMBERS_OF_TYPE -> {
        String type = request.getAllExtensionNumbersOfType();
        if (symbols.containsKey(type)) {
          response.setAllExtensionNumbersResponse(
              ExtensionNumberResponse.newBuilder()
                  .setBaseTypeName(type)
                  .addAllExtensionNumber(ofType(type).keySet()));
        } else {
          error(response, Status.Code.NOT_FOUND, "no such thing is served: " + type);
        }
      }
      case MESSAGEREQUEST_NOT_SET ->
          error(response, Status.Code.INVALID_ARGUMENT, "the request asks for nothing");
    }
    return response.build();
  }

  private Map<Integer, FileDescriptor> ofType(String type) {
    return Optional.ofNullable(extensions.get(type)).orElse(Map.of());
  }

  private ListServiceResponse list() {
    ListServiceResponse.Builder list = ListServiceResponse.newBuilder();
    services.keySet().forEach(name -> list.addService(ServiceResponse.newBuilder().setName(name)));
    return list.build();
  }

  /** The file and all that it needs, each once. */
  private static void file(
      ServerReflectionResponse.Builder response, @Nullable FileDescriptor file, String what) {
    if (file == null) {
      error(response, Status.Code.NOT_FOUND, "no such thing is served: " + what);
      return;
    }
    Map<String, ByteString> closure = new LinkedHashMap<>();
    collect(file, closure);
    response.setFileDescriptorResponse(
        FileDescriptorResponse.newBuilder().addAllFileDescriptorProto(closure.values()));
  }

  private static void collect(FileDescriptor file, Map<String, ByteString> closure) {
    if (closure.putIfAbsent(file.getName(), file.toProto().toByteString()) == null) {
      file.getDependencies().forEach(dependency -> collect(dependency, closure));
    }
  }

  private static void error(
      ServerReflectionResponse.Builder response, Status.Code code, String message) {
    response.setErrorResponse(
        ErrorResponse.newBuilder().setErrorCode(code.value()).setErrorMessage(message));
  }
}
