// A downstream system in Java: acts on every shipment event once. java -cp … Shipments.java, until Ctrl-C
import java.sql.DriverManager;
import java.time.Duration;
import java.util.*;
import org.apache.kafka.clients.consumer.*;

public class Shipments {
  public static void main(String[] args) throws Exception {
    var env = System.getenv();
    var prefix = env.getOrDefault("OMS_PREFIX", "");
    var settings = new HashMap<String, Object>(Map.of("group.id", prefix + "example-java",
        "bootstrap.servers", env.getOrDefault("KAFKA_BROKERS", "127.0.0.1:9092"),
        "schema.registry.url", env.getOrDefault("SCHEMA_REGISTRY_URL", "http://127.0.0.1:8081/apis/ccompat/v7"),
        "auto.offset.reset", "earliest", "enable.auto.commit", false,
        "key.deserializer", "org.apache.kafka.common.serialization.StringDeserializer",
        "value.deserializer", env.getOrDefault("VALUE_DESERIALIZER", "io.confluent.kafka.serializers.KafkaAvroDeserializer")));
    try (var db = DriverManager.getConnection(env.get("CONSUMER_JDBC_URL"));
        var consumer = new KafkaConsumer<String, Object>(settings)) {
      db.createStatement().execute("create table if not exists seen (event_id text primary key)");
      db.setAutoCommit(false);
      var note = db.prepareStatement("insert into seen values (?) on conflict do nothing");
      consumer.subscribe(List.of(prefix + "shipments"));
      while (true) {
        for (var record : consumer.poll(Duration.ofSeconds(1))) {
          // Repeats are dropped by the headers alone, whatever the value is.
          var eventId = new String(record.headers().lastHeader("ce_id").value());
          note.setString(1, eventId);
          if (note.executeUpdate() == 1) // what you do, in the transaction that notes it
            System.out.println(eventId + " of order " + record.key());
          db.commit();
        }
        consumer.commitSync();
      }
    }
  }
}
