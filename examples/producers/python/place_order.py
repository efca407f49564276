"""An upstream system in Python: places an order. Usage: place_order.py ORDER_ID [QUANTITY]"""

import json
import os
import sys
import time

from confluent_kafka import Producer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

BROKERS = os.environ.get("KAFKA_BROKERS", "127.0.0.1:9092")
REGISTRY = os.environ.get("SCHEMA_REGISTRY_URL", "http://127.0.0.1:8081/apis/ccompat/v7")
TOPIC = os.environ.get("OMS_PREFIX", "") + "orders"


def order(order_id, quantity):
    return {
        # Made from what happened, not from chance: sending it again is the same event.
        "eventId": f"example-till/{order_id}/place",
        "orderId": order_id,
        "occurredAt": int(time.time() * 1000),
        "source": "example-till",
        "sequence": None,
        # Which member of the union it is, then its fields.
        "payload": (
            "oms.OrderPlaced",
            {
                "customerId": "customer-2",
                "currency": "GBP",
                "items": [{"sku": "85123A", "quantity": quantity, "unitPrice": 255, "description": None}],
                "shipTo": None,
            },
        ),
    }


def main():
    order_id = sys.argv[1]
    quantity = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    # The registered schema is used; a producer never registers one.
    serialize = AvroSerializer(
        SchemaRegistryClient({"url": REGISTRY}),
        conf={"auto.register.schemas": False, "use.latest.version": True},
    )
    event = order(order_id, quantity)
    value = serialize(event, SerializationContext(TOPIC, MessageField.VALUE))

    def told(error, message):
        if error is not None:
            sys.exit(f"not sent, send the same event again: {error}")
        where = {"eventId": event["eventId"], "partition": message.partition(), "offset": message.offset()}
        print(json.dumps(where), flush=True)

    # The default partitioner of librdkafka; idempotence keeps a retry inside the client from doubling the record.
    producer = Producer({"bootstrap.servers": BROKERS, "enable.idempotence": True})
    producer.produce(TOPIC, key=order_id, value=value, on_delivery=told)
    if producer.flush(30) > 0:
        sys.exit("not confirmed within 30 s: send the same event again")


if __name__ == "__main__":
    main()
