"""A downstream system in Python: acts on every shipment event once. python shipments.py, until Ctrl-C"""

import json, os, signal, sqlite3, sys
from confluent_kafka import Consumer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

PREFIX = os.environ.get("OMS_PREFIX", "")
REGISTRY = os.environ.get("SCHEMA_REGISTRY_URL", "http://127.0.0.1:8081/apis/ccompat/v7")
brokers = os.environ.get("KAFKA_BROKERS", "127.0.0.1:9092")
decode = AvroDeserializer(SchemaRegistryClient({"url": REGISTRY}))
db = sqlite3.connect(os.environ.get("CONSUMER_DB", "shipments.db"))
db.execute("create table if not exists seen (event_id text primary key)")
group = {"group.id": f"{PREFIX}example-python", "auto.offset.reset": "earliest", "enable.auto.commit": False}
consumer = Consumer({"bootstrap.servers": brokers, **group})
consumer.subscribe([f"{PREFIX}shipments"])
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
try:
    while True:
        message = consumer.poll(1.0)
        if message is None or message.error():
            continue
        event = decode(message.value(), SerializationContext(message.topic(), MessageField.VALUE))
        with db:  # one transaction: what you do, and that it is done
            if db.execute("insert or ignore into seen values (?)", [event["eventId"]]).rowcount == 1:
                print(json.dumps({"eventId": event["eventId"], "type": event["type"]}), flush=True)
        consumer.commit(message, asynchronous=False)
finally:
    consumer.close()
