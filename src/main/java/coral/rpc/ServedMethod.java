package coral.rpc;

import com.google.protobuf.DescriptorProtos.MethodOptions.IdempotencyLevel;
import com.google.protobuf.Descriptors.MethodDescriptor;
import com.google.protobuf.Descriptors.ServiceDescriptor;
import com.google.protobuf.Message;
import coral.rpc.RpcServer.HandlerFactory;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Proxy;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.apache.pekko.NotUsed;
import org.apache.pekko.actor.ClassicActorSystemProvider;
import org.apache.pekko.grpc.ServiceDescription;
import org.apache.pekko.http.javadsl.model.HttpRequest;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.stream.javadsl.Source;

/** One rpc of one service, callable by gRPC and, unless it takes a stream, by Connect. */
final class ServedMethod<T> {
  private final Class<T> api;
  private final String rpc;
  private final MethodDescriptor descriptor;
  private final Method method;
  private final Message request;
  private final Function<Caller, ? extends T> service;
  private final HandlerFactory<T> handlers;

  private ServedMethod(
      Class<T> api,
      MethodDescriptor descriptor,
      Method method,
      Message request,
      Function<Caller, ? extends T> service,
      HandlerFactory<T> handlers) {
    this.api = api;
    this.rpc = descriptor.getService().getFullName() + "/" + descriptor.getName();
    this.descriptor = descriptor;
    this.method = method;
    this.request = request;
    this.service = service;
    this.handlers = handlers;
  }

  /** Every rpc of a service. */
  static <T> List<ServedMethod<T>> of(
      Class<T> api,
      ServiceDescription description,
      Function<Caller, ? extends T> service,
      HandlerFactory<T> handlers) {
    ServiceDescriptor descriptor =
        description.descriptor().getServices().stream()
            .filter(s -> s.getFullName().equals(description.name()))
            .findFirst()
            .orElseThrow(() -> new IllegalArgumentException("no service " + description.name()));
    List<ServedMethod<T>> methods = new ArrayList<>();
    for (MethodDescriptor rpc : descriptor.getMethods()) {
      Method method = generated(api, rpc);
      methods.add(new ServedMethod<>(api, rpc, method, prototype(method, rpc), service, handlers));
    }
    return methods;
  }

  /** Full name without a leading slash. */
  String rpc() {
    return rpc;
  }

  ServiceDescriptor service() {
    return descriptor.getService();
  }

  MethodDescriptor descriptor() {
    return descriptor;
  }

  boolean takesStream() {
    return descriptor.isClientStreaming();
  }

  boolean answersStream() {
    return descriptor.isServerStreaming();
  }

  /** An empty message of the request's type. */
  Message request() {
    return request;
  }

  /** Whether it may be called by GET. */
  boolean hasNoSideEffects() {
    return descriptor.getOptions().getIdempotencyLevel() == IdempotencyLevel.NO_SIDE_EFFECTS;
  }

  /** Answers a gRPC request whose limits have been checked. */
  CompletionStage<HttpResponse> grpc(
      Caller caller,
      Deadline deadline,
      HttpRequest httpRequest,
      CallOutcome outcome,
      ClassicActorSystemProvider system) {
    try {
      return handlers
          .create(service(caller, deadline, system), classic -> outcome::trailers, system)
          .apply(httpRequest);
    } catch (Exception e) {
      throw new CompletionException(e);
    }
  }

  /** Calls a unary rpc. */
  @SuppressWarnings("unchecked") // the generated signature of every unary rpc
  CompletionStage<Message> call(
      Caller caller, Deadline deadline, Message message, ClassicActorSystemProvider system) {
    return (CompletionStage<Message>) invoke(service(caller, deadline, system), message);
  }

  /** The answers of an rpc that takes one message: a stream of them, or one. */
  @SuppressWarnings("unchecked") // the generated signature of every such rpc
  Source<Message, ?> answers(
      Caller caller, Deadline deadline, Message message, ClassicActorSystemProvider system) {
    return answersStream()
        ? (Source<Message, ?>) invoke(service(caller, deadline, system), message)
        : Source.completionStage(call(caller, deadline, message, system));
  }

  /** The answers of an rpc that takes a stream: a stream of them, or one. */
  @SuppressWarnings("unchecked") // the generated signature of every such rpc
  Source<Message, ?> answers(
      Caller caller,
      Deadline deadline,
      Source<Message, NotUsed> messages,
      ClassicActorSystemProvider system) {
    Object answer = invoke(service(caller, deadline, system), messages);
    return answersStream()
        ? (Source<Message, ?>) answer
        : Source.completionStage((CompletionStage<Message>) answer);
  }

  private Object invoke(T target, Object argument) {
    try {
      return method.invoke(target, argument);
    } catch (InvocationTargetException e) {
      throw new CompletionException(e.getCause());
    } catch (IllegalAccessException e) {
      throw new CompletionException(e);
    }
  }

  /** The service for one call, whose answer has to come before the deadline. */
  private T service(Caller caller, Deadline deadline, ClassicActorSystemProvider system) {
    T target = service.apply(caller);
    InvocationHandler limiting =
        (proxy, called, arguments) -> {
          Object answer;
          try {
            answer = called.invoke(target, arguments);
          } catch (InvocationTargetException e) {
            throw e.getCause();
          }
          if (answer instanceof CompletionStage<?> stage) {
            return deadline.limit(stage, system);
          }
          return answer instanceof Source<?, ?> stream ? deadline.limit(stream) : answer;
        };
    return api.cast(Proxy.newProxyInstance(api.getClassLoader(), new Class<?>[] {api}, limiting));
  }

  private static Method generated(Class<?> api, MethodDescriptor rpc) {
    String name =
        rpc.getName().substring(0, 1).toLowerCase(Locale.ROOT) + rpc.getName().substring(1);
    for (Method candidate : api.getMethods()) {
      if (candidate.getName().equals(name) && candidate.getParameterCount() == 1) {
        return candidate;
      }
    }
    throw new IllegalArgumentException(api.getName() + " has no method " + name);
  }

  private static Message prototype(Method method, MethodDescriptor rpc) {
    Type parameter = method.getGenericParameterTypes()[0];
    Type message =
        rpc.isClientStreaming()
            ? ((ParameterizedType) parameter).getActualTypeArguments()[0]
            : parameter;
    try {
      return (Message) ((Class<?>) message).getMethod("getDefaultInstance").invoke(null);
    } catch (ReflectiveOperationException e) {
      throw new IllegalArgumentException(method + " does not take a message", e);
    }
  }
}
