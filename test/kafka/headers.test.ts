import { describe, expect, it } from '@jest/globals';
import { cloudEventHeaders, deadLetterHeaders, headerText } from '../../kafka/headers.ts';

describe('headers of an outgoing event', () => {
  it('follow CloudEvents in binary mode', () => {
    const headers = cloudEventHeaders({
      id: 'o1/1/Booked/1',
      type: 'oms.ShipmentEvent.Booked',
      source: '/oms',
      time: Date.UTC(2026, 0, 2, 3, 4, 5),
      subject: 'o1',
      sequence: 3,
    });
    expect(headers).toEqual({
      ce_specversion: '1.0',
      ce_id: 'o1/1/Booked/1',
      ce_type: 'oms.ShipmentEvent.Booked',
      ce_source: '/oms',
      ce_time: '2026-01-02T03:04:05.000Z',
      ce_subject: 'o1',
      ce_sequence: '3',
      'content-type': 'application/avro',
    });
  });
});

describe('headers of a dead letter', () => {
  const reason = { errorCode: 'OMS_INGEST_NOT_AVRO', originalOffset: 5n, originalPartition: 0 };

  it('keep those of the record, all values of a repeated one, and those without a value as empty', () => {
    const original = { a: Buffer.from('1'), b: [Buffer.from('2'), Buffer.from('3')], c: null as never };
    expect(deadLetterHeaders(original, reason)).toEqual({
      a: Buffer.from('1'),
      b: [Buffer.from('2'), Buffer.from('3')],
      c: Buffer.alloc(0),
      'oms-dlq-error-code': 'OMS_INGEST_NOT_AVRO',
      'oms-dlq-original-offset': '5',
      'oms-dlq-original-partition': '0',
    });
  });

  it('do not grow when a record fails again', () => {
    const once = deadLetterHeaders({ a: 'x' }, { ...reason, errorMessage: 'first' });
    const twice = deadLetterHeaders(once, reason);
    expect(Object.keys(twice)).toHaveLength(Object.keys(once).length - 1);
    expect(twice['oms-dlq-error-message']).toBeUndefined();
  });

  it('are cut where they would outgrow the topic', () => {
    const headers = deadLetterHeaders({}, { errorMessage: 'x'.repeat(100_000) });
    expect(headers['oms-dlq-error-message']).toHaveLength(1_024);
  });
});

describe('a header as text', () => {
  it('is the last of several, and undefined when missing or empty of value', () => {
    expect(headerText({ a: [Buffer.from('1'), Buffer.from('2')] }, 'a')).toBe('2');
    expect(headerText({ a: 'x' }, 'b')).toBeUndefined();
    expect(headerText({ a: null as never }, 'a')).toBeUndefined();
  });
});
