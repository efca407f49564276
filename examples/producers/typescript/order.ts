// An upstream system in TypeScript: places an order, or asks for its cancellation.
//   node order.ts place A-1001      node order.ts cancel A-1001
import { SchemaRegistry } from '@kafkajs/confluent-schema-registry';
import { Kafka, logLevel } from 'kafkajs';

const [action, orderId] = process.argv.slice(2);
if (!orderId || (action !== 'place' && action !== 'cancel')) {
  console.error('usage: order.ts place|cancel ORDER_ID');
  process.exit(2);
}

const { KAFKA_BROKERS = '127.0.0.1:9092', OMS_PREFIX = '' } = process.env;
const { SCHEMA_REGISTRY_URL = 'http://127.0.0.1:8081/apis/ccompat/v7' } = process.env;
const topic = `${OMS_PREFIX}orders`;

const placed = {
  'oms.OrderPlaced': {
    customerId: 'customer-1',
    currency: 'GBP',
    items: [
      { sku: '85123A', quantity: 2, unitPrice: 255, description: 'White hanging heart' },
      { sku: '71053', quantity: 1, unitPrice: null, description: null }, // the price list decides
    ],
    shipTo: null,
  },
};
const cancelled = { 'oms.OrderCancelled': { reason: 'ordered twice', fulfillmentId: null } };

const event = {
  // Made from what happened, not from chance: sending it again is the same event, however often and whenever.
  eventId: `example-shop/${orderId}/${action}`,
  orderId,
  occurredAt: Date.now(),
  source: 'example-shop',
  sequence: null,
  payload: action === 'place' ? placed : cancelled,
};

// The registered schema is looked up; a producer never registers one.
const registry = new SchemaRegistry({ host: SCHEMA_REGISTRY_URL });
const schemaId = await registry.getLatestSchemaId(`${topic}-value`);
const value = await registry.encode(schemaId, event);

const kafka = new Kafka({ brokers: KAFKA_BROKERS.split(','), clientId: 'example-shop', logLevel: logLevel.ERROR });
const producer = kafka.producer({ allowAutoTopicCreation: false });
await producer.connect();
try {
  // The key is the order id. If this fails, or the answer is lost: send the same event again.
  const [where] = await producer.send({ topic, acks: -1, messages: [{ key: orderId, value }] });
  console.log(
    JSON.stringify({ eventId: event.eventId, topic, partition: where?.partition, offset: where?.baseOffset }),
  );
} finally {
  await producer.disconnect();
}
