package coral.colony;

import coral.metrics.Metrics;
import org.apache.pekko.actor.ExtendedActorSystem;
import org.apache.pekko.actor.typed.javadsl.Adapter;
import org.apache.pekko.http.javadsl.model.ContentType;
import org.apache.pekko.http.javadsl.model.ContentTypes;
import org.apache.pekko.http.javadsl.model.HttpEntities;
import org.apache.pekko.http.javadsl.model.HttpResponse;
import org.apache.pekko.http.javadsl.server.Directives;
import org.apache.pekko.http.javadsl.server.Route;
import org.apache.pekko.management.javadsl.ManagementRouteProvider;
import org.apache.pekko.management.javadsl.ManagementRouteProviderSettings;
import org.apache.pekko.util.ByteString;

/** {@code GET /metrics} on the management port; named in {@code colony.conf}. */
public final class MetricsRoute implements ManagementRouteProvider {
  private static final ContentType TYPE = ContentTypes.parse(Metrics.CONTENT_TYPE);

  private final ColonyMetrics metrics;

  public MetricsRoute(ExtendedActorSystem system) {
    this.metrics = ColonyMetrics.of(Adapter.toTyped(system));
  }

  @Override
  public Route routes(ManagementRouteProviderSettings settings) {
    return Directives.path(
        "metrics",
        () ->
            Directives.get(
                () ->
                    Directives.completeWithFuture(
                        metrics
                            .text()
                            .thenApply(
                                text ->
                                    HttpResponse.create()
                                        .withEntity(
                                            HttpEntities.create(
                                                TYPE, ByteString.fromString(text)))))));
  }
}
