// A downstream system in TypeScript: acts on every shipment event once. node shipments.ts, until Ctrl-C
import { DatabaseSync } from 'node:sqlite';
import { SchemaRegistry } from '@kafkajs/confluent-schema-registry';
import { Kafka, logLevel } from 'kafkajs';

const { KAFKA_BROKERS = '127.0.0.1:9092', OMS_PREFIX = '', CONSUMER_DB = 'shipments.db' } = process.env;
const { SCHEMA_REGISTRY_URL = 'http://127.0.0.1:8081/apis/ccompat/v7' } = process.env;
const registry = new SchemaRegistry({ host: SCHEMA_REGISTRY_URL });
const db = new DatabaseSync(CONSUMER_DB);
db.exec('create table if not exists seen (order_id text primary key, sequence integer)');
const seen = db.prepare('select sequence from seen where order_id = ?');
const note = db.prepare('insert or replace into seen values (?, ?)');

const kafka = new Kafka({
  brokers: KAFKA_BROKERS.split(','),
  clientId: 'example-typescript',
  logLevel: logLevel.ERROR,
});
const consumer = kafka.consumer({ groupId: `${OMS_PREFIX}example-typescript` });
process.once('SIGTERM', () => void consumer.disconnect());
await consumer.connect();
await consumer.subscribe({ topic: `${OMS_PREFIX}shipments`, fromBeginning: true });
await consumer.run({
  eachMessage: async ({ message }) => {
    if (!message.value) return;
    const { orderId, sequence, eventId, type } = await registry.decode(message.value);
    const last = Number(seen.get(orderId)?.sequence ?? 0);
    if (sequence <= last) return; // a repeat
    if (last > 0 && sequence > last + 1)
      throw new Error(`${orderId}: ${sequence} after ${last}, so something is missing`);
    db.exec('begin'); // one transaction: what you do, and that it is done
    note.run(orderId, sequence);
    console.log(JSON.stringify({ eventId, type }));
    db.exec('commit');
  },
});
