package coral.rpc.reference;

import com.google.protobuf.DescriptorProtos.DescriptorProto;
import com.google.protobuf.DescriptorProtos.EnumDescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorSet;
import com.google.protobuf.DescriptorProtos.ServiceDescriptorProto;
import com.google.protobuf.DescriptorProtos.SourceCodeInfo.Location;
import com.google.protobuf.Descriptors.GenericDescriptor;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The comments of the protocol buffers, which the descriptors that a program is compiled with do
 * not have. A line {@code Example: {...}} in the comment of an rpc is a request in JSON.
 */
final class ApiComments {
  private static final String RESOURCE = "/coral/api.binpb";
  private static final String EXAMPLE = "Example:";

  private final Map<String, String> comments = new HashMap<>();

  private ApiComments() {}

  /** The comments of this build. */
  static ApiComments load() {
    try (InputStream in = ApiComments.class.getResourceAsStream(RESOURCE)) {
      if (in == null) {
        throw new IllegalStateException(RESOURCE + " is not in this build");
      }
      ApiComments comments = new ApiComments();
      FileDescriptorSet.parseFrom(in).getFileList().forEach(comments::add);
      return comments;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The comment of a service, an rpc, a message, a field, an enum or a value; or empty. */
  String of(GenericDescriptor what) {
    StringBuilder text = new StringBuilder();
    lines(what)
        .filter(line -> !line.startsWith(EXAMPLE))
        .forEach(line -> text.append(line).append('\n'));
    return text.toString().strip();
  }

  /** The request that an rpc's comment gives as an example; an empty one unless it does. */
  String example(GenericDescriptor rpc) {
    return lines(rpc)
        .filter(line -> line.startsWith(EXAMPLE))
        .map(line -> line.substring(EXAMPLE.length()).strip())
        .findFirst()
        .orElse("{}");
  }

  private Stream<String> lines(GenericDescriptor what) {
    return comments.getOrDefault(what.getFullName(), "").lines().map(String::strip);
  }

  /** By the numbers of descriptor.proto: a location is a path through its fields. */
  private void add(FileDescriptorProto file) {
    Map<List<Integer>, String> byPath = new HashMap<>();
    for (Location location : file.getSourceCodeInfo().getLocationList()) {
      String text =
          location.getLeadingComments().isBlank()
              ? location.getTrailingComments()
              : location.getLeadingComments();
      if (!text.isBlank()) {
        byPath.put(location.getPathList(), text);
      }
    }
    for (int i = 0; i < file.getServiceCount(); i++) {
      ServiceDescriptorProto service = file.getService(i);
      List<Integer> path = List.of(FileDescriptorProto.SERVICE_FIELD_NUMBER, i);
      String name = keep(byPath, path, file.getPackage(), service.getName());
      for (int j = 0; j < service.getMethodCount(); j++) {
        keep(
            byPath,
            below(path, ServiceDescriptorProto.METHOD_FIELD_NUMBER, j),
            name,
            service.getMethod(j).getName());
      }
    }
    for (int i = 0; i < file.getMessageTypeCount(); i++) {
      List<Integer> path = List.of(FileDescriptorProto.MESSAGE_TYPE_FIELD_NUMBER, i);
      message(byPath, path, file.getPackage(), file.getMessageType(i));
    }
    for (int i = 0; i < file.getEnumTypeCount(); i++) {
      List<Integer> path = List.of(FileDescriptorProto.ENUM_TYPE_FIELD_NUMBER, i);
      enumeration(byPath, path, file.getPackage(), file.getEnumType(i));
    }
  }

  private void message(
      Map<List<Integer>, String> byPath, List<Integer> path, String scope, DescriptorProto type) {
    String name = keep(byPath, path, scope, type.getName());
    for (int i = 0; i < type.getFieldCount(); i++) {
      List<Integer> field = below(path, DescriptorProto.FIELD_FIELD_NUMBER, i);
      keep(byPath, field, name, type.getField(i).getName());
    }
    for (int i = 0; i < type.getNestedTypeCount(); i++) {
      List<Integer> nested = below(path, DescriptorProto.NESTED_TYPE_FIELD_NUMBER, i);
      message(byPath, nested, name, type.getNestedType(i));
    }
    for (int i = 0; i < type.getEnumTypeCount(); i++) {
      List<Integer> nested = below(path, DescriptorProto.ENUM_TYPE_FIELD_NUMBER, i);
      enumeration(byPath, nested, name, type.getEnumType(i));
    }
  }

  private void enumeration(
      Map<List<Integer>, String> byPath,
      List<Integer> path,
      String scope,
      EnumDescriptorProto type) {
    String name = keep(byPath, path, scope, type.getName());
    for (int i = 0; i < type.getValueCount(); i++) {
      List<Integer> value = below(path, EnumDescriptorProto.VALUE_FIELD_NUMBER, i);
      keep(byPath, value, name, type.getValue(i).getName());
    }
  }

  private String keep(
      Map<List<Integer>, String> byPath, List<Integer> path, String scope, String name) {
    String fullName = scope + "." + name;
    @Nullable String comment = byPath.get(path);
    if (comment != null) {
      comments.put(fullName, comment);
    }
    return fullName;
  }

  private static List<Integer> below(List<Integer> path, int field, int index) {
    List<Integer> deeper = new ArrayList<>(path);
    deeper.add(field);
    deeper.add(index);
    return deeper;
  }
}
