package coral.cli;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.EnumDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Duration;
import com.google.protobuf.Message;
import com.google.protobuf.Timestamp;

/** Messages in which every field has a value that tells it from the others. */
final class FilledMessage {
  private FilledMessage() {}

  /** A message of this type; each list has one element. */
  static <T extends Message> T of(T empty) {
    Message.Builder builder = empty.newBuilderForType();
    for (FieldDescriptor field : empty.getDescriptorForType().getFields()) {
      if (field.isMapField()) {
        Descriptor entry = field.getMessageType();
        builder.addRepeatedField(
            field,
            builder
                .newBuilderForField(field)
                .setField(entry.findFieldByName("key"), "token")
                .setField(entry.findFieldByName("value"), 3L)
                .build());
      } else if (field.isRepeated()) {
        builder.addRepeatedField(field, value(builder, field));
      } else {
        builder.setField(field, value(builder, field));
      }
    }
    @SuppressWarnings("unchecked") // the builder is that of the message
    T filled = (T) builder.build();
    return filled;
  }

  private static Object value(Message.Builder builder, FieldDescriptor field) {
    return switch (field.getJavaType()) {
      case STRING -> "the " + field.getName();
      case BOOLEAN -> true;
      case INT -> 100 + field.getNumber();
      case LONG -> 9_007_199_254_740_000L + field.getNumber();
      case FLOAT -> 0.5f + field.getNumber();
      case DOUBLE -> 0.5 + field.getNumber();
      case BYTE_STRING -> ByteString.copyFromUtf8(field.getName());
      case ENUM -> last(field.getEnumType());
      case MESSAGE -> message(builder, field);
    };
  }

  private static Object last(EnumDescriptor type) {
    return type.getValues().get(type.getValues().size() - 1);
  }

  private static Message message(Message.Builder builder, FieldDescriptor field) {
    Message empty = builder.newBuilderForField(field).getDefaultInstanceForType();
    if (empty instanceof Timestamp) {
      return Timestamp.newBuilder().setSeconds(1_900_000_000L + field.getNumber()).build();
    }
    if (empty instanceof Duration) {
      return Duration.newBuilder().setNanos(1_000_000 * field.getNumber()).build();
    }
    return of(empty);
  }
}
