import { describe, expect, it } from '@jest/globals';
import { TOPICS, batchLimits, groupName, subjectOf, topicNames, topicSchemas } from '../../kafka/topics.ts';

describe('topics', () => {
  it('are named behind the prefix of the deployment', () => {
    expect(topicNames('eu.').orders).toBe('eu.orders');
    expect(topicNames('')['orders.dlq']).toBe('orders.dlq');
    expect(groupName('eu.', 'ingest')).toBe('eu.oms-ingest');
    expect(subjectOf('eu.orders')).toBe('eu.orders-value');
  });

  it('carry one record type each; dead letters keep the bytes they came with', () => {
    const names = topicSchemas('').map(({ topic, schema }) => [topic, schema.name]);
    expect(Object.fromEntries(names)).toEqual({
      orders: 'OrderEvent',
      'carrier-updates': 'CarrierUpdate',
      'stock-levels': 'StockLevel',
      shipments: 'ShipmentEvent',
      invoices: 'InvoiceEvent',
      deliveries: 'DeliveryEvent',
      'order-status': 'OrderStatus',
    });
  });

  it('are compatible both ways where we write, backward where we read', () => {
    for (const { direction, schema, compatibility } of TOPICS) {
      if (schema) expect(compatibility).toBe(direction === 'in' ? 'BACKWARD_TRANSITIVE' : 'FULL_TRANSITIVE');
    }
  });

  it('never lose an order: what upstream sent is kept for ever', () => {
    const orders = TOPICS.find(({ kind }) => kind === 'orders');
    expect(orders?.config).toMatchObject({ 'cleanup.policy': 'delete', 'retention.ms': '-1' });
  });

  it('take a dead letter of the largest record of any input topic, with its reason', () => {
    const limitOf = batchLimits('');
    const inputs = TOPICS.filter(({ direction }) => direction === 'in').map(({ kind }) => limitOf(kind));
    expect(limitOf('orders.dlq')).toBeGreaterThan(Math.max(...inputs) + 100_000);
  });
});
