package coral.colony;

import coral.session.Transport;
import java.util.HashMap;
import java.util.Map;

/**
 * What a connection is for, by the port of its target: a guess from the IANA registry of service
 * names and from what programs listen on unless they are told otherwise (RFD 005: "http", "grpc",
 * "database", etc.).
 */
final class ConnectionType {
  static final String GRPC = "grpc";

  private static final Map<Integer, String> TCP = new HashMap<>();

  static {
    put("http", 80, 443, 3000, 8000, 8008, 8080, 8081, 8443, 8888);
    put(GRPC, 50051, 50052);
    // Oracle, SQL Server, MySQL, PostgreSQL, CouchDB, Cassandra, CockroachDB, MongoDB
    put("database", 1433, 1521, 3306, 5432, 5984, 9042, 26257, 27017);
    // Redis, memcached
    put("cache", 6379, 11211);
    // MQTT, NATS, AMQP, Kafka
    put("queue", 1883, 8883, 4222, 5671, 5672, 9092, 9093);
    put("search", 9200, 9300);
    // Prometheus and its exporters, OpenTelemetry
    put("metrics", 4317, 4318, 9090, 9100);
    put("dns", 53, 853);
    put("ssh", 22);
  }

  private ConnectionType() {}

  private static void put(String type, int... ports) {
    for (int port : ports) {
      TCP.put(port, type);
    }
  }

  static String of(Transport transport, int port) {
    return switch (transport) {
      case TCP -> TCP.getOrDefault(port, transport.wireName());
      // HTTP/3 (RFC 9114)
      case UDP -> port == 53 ? "dns" : port == 443 ? "http" : transport.wireName();
    };
  }
}
