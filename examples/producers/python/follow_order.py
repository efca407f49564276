"""A downstream system in Python: prints an order's events until it has ended. Usage: follow_order.py ORDER_ID [SECONDS]"""

import json
import os
import sys
import time
import uuid

from confluent_kafka import Consumer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

BROKERS = os.environ.get("KAFKA_BROKERS", "127.0.0.1:9092")
REGISTRY = os.environ.get("SCHEMA_REGISTRY_URL", "http://127.0.0.1:8081/apis/ccompat/v7")
PREFIX = os.environ.get("OMS_PREFIX", "")
TOPICS = [PREFIX + name for name in ("shipments", "invoices", "deliveries", "order-status")]
ENDED = {"completed", "partiallyCompleted", "failed", "cancelled", "timedOut"}


class Reader:
    """Drops repeats, and notices a gap: the sequence of an order on a topic goes 1, 2, 3 ..."""

    def __init__(self):
        self.last = {}

    def is_new(self, topic, event):
        seen = self.last.get((topic, event["orderId"]), 0)
        if event["sequence"] <= seen:
            return False
        if event["sequence"] != seen + 1:
            raise RuntimeError(f"{topic}: {event['eventId']} is {event['sequence']} after {seen}")
        self.last[(topic, event["orderId"])] = event["sequence"]
        return True


def main():
    order_id = sys.argv[1]
    deadline = time.monotonic() + (float(sys.argv[2]) if len(sys.argv) > 2 else 60)
    deserialize = AvroDeserializer(SchemaRegistryClient({"url": REGISTRY}))
    consumer = Consumer(
        {
            "bootstrap.servers": BROKERS,
            "group.id": f"{PREFIX}example-reader-{uuid.uuid4()}",
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    consumer.subscribe(TOPICS)
    reader = Reader()
    versions = set()
    ended_at = None
    try:
        while time.monotonic() < deadline:
            message = consumer.poll(0.5)
            if message is None or message.key() is None or message.key().decode() != order_id:
                continue
            if message.error():
                raise RuntimeError(message.error())
            topic = message.topic()
            event = deserialize(message.value(), SerializationContext(topic, MessageField.VALUE))
            # order-status is compacted: older states may be missing, so only repeats matter there.
            if topic != f"{PREFIX}order-status" and not reader.is_new(topic, event):
                continue
            versions.add(event["version"])
            print(json.dumps({"topic": topic.removeprefix(PREFIX), **event}, default=str), flush=True)
            if event.get("status") in ENDED and topic == f"{PREFIX}order-status":
                ended_at = event["version"]
            # Versions count over all topics: with the last one known, all before it must have come.
            if ended_at is not None and versions >= set(range(1, ended_at + 1)):
                return
    finally:
        consumer.close()
    sys.exit(f"order {order_id} did not end in time")


if __name__ == "__main__":
    main()
