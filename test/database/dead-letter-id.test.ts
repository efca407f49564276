import { describe, expect, it } from '@jest/globals';
import { deadLetterId } from '../../database/dead-letters.ts';

const record = {
  topic: 'orders',
  partition: 3,
  offset: 42,
  time: 1_000,
  key: Buffer.from('o-1'),
  value: Buffer.from('value'),
  headers: {},
};

describe('the id of a dead letter', () => {
  it('is the same whenever the record is read again', () => {
    expect(deadLetterId({ ...record })).toBe(deadLetterId(record));
    expect(deadLetterId(record)).toMatch(/^[0-9a-f]{32}$/);
  });

  it.each([
    ['topic', { topic: 'other' }],
    ['partition', { partition: 4 }],
    ['offset', { offset: 43 }],
    ['time, as on a topic that was made anew', { time: 2_000 }],
    ['value', { value: Buffer.from('other') }],
    ['value, null', { value: null }],
    ['value, empty', { value: Buffer.alloc(0) }],
  ])('differs by %s', (_what, change) => {
    expect(deadLetterId({ ...record, ...change })).not.toBe(deadLetterId(record));
  });
});
