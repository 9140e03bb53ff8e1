package coral.rpc.reference;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.EnumDescriptor;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.Descriptors.GenericDescriptor;
import com.google.protobuf.Descriptors.MethodDescriptor;
import com.google.protobuf.Descriptors.ServiceDescriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.util.JsonFormat;
import coral.api.colony.v1.AuditProto;
import coral.api.colony.v1.CertificateProto;
import coral.api.colony.v1.ColonyProto;
import coral.api.colony.v1.InvitationProto;
import coral.api.colony.v1.SecretProto;
import coral.api.discovery.v1.DiscoveryProto;
import coral.api.mesh.v1.MeshProto;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The pages are as good as the comments in the protocol buffers. */
final class ApiCommentsTest {
  private static final List<FileDescriptor> FILES =
      List.of(
          AuditProto.getDescriptor(),
          CertificateProto.getDescriptor(),
          ColonyProto.getDescriptor(),
          InvitationProto.getDescriptor(),
          SecretProto.getDescriptor(),
          DiscoveryProto.getDescriptor(),
          MeshProto.getDescriptor());

  private final ApiComments comments = ApiComments.load();
  private final List<String> missing = new ArrayList<>();

  @Test
  void everythingOfTheApiHasAComment() {
    for (FileDescriptor file : FILES) {
      for (ServiceDescriptor service : file.getServices()) {
        require(service);
        service.getMethods().forEach(this::require);
      }
      file.getMessageTypes().forEach(this::message);
      file.getEnumTypes().forEach(this::enumeration);
    }
    assertEquals(List.of(), missing);
  }

  private void require(GenericDescriptor what) {
    if (comments.of(what).isBlank()) {
      missing.add(what.getFullName());
    }
  }

  /** Requests and answers are told of by their rpc. */
  private void message(Descriptor type) {
    if (type.getOptions().getMapEntry()) {
      return;
    }
    if (!type.getName().endsWith("Request") && !type.getName().endsWith("Response")) {
      require(type);
    }
    type.getFields().forEach(this::require);
    type.getNestedTypes().forEach(this::message);
    type.getEnumTypes().forEach(this::enumeration);
  }

  private void enumeration(EnumDescriptor type) {
    require(type);
    type.getValues().forEach(this::require);
  }

  @Test
  void everyExampleIsARequest() throws Exception {
    int examples = 0;
    for (FileDescriptor file : FILES) {
      for (ServiceDescriptor service : file.getServices()) {
        for (MethodDescriptor rpc : service.getMethods()) {
          DynamicMessage.Builder request = DynamicMessage.newBuilder(rpc.getInputType());
          JsonFormat.parser().merge(comments.example(rpc), request);
          examples += request.getAllFields().isEmpty() ? 0 : 1;
        }
      }
    }
    assertTrue(examples > 10, examples + " examples");
  }
}
