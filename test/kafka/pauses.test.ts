import { describe, expect, it } from '@jest/globals';
import { createPauses } from '../../kafka/consumer/consumer-status.ts';

describe('pauses', () => {
  it('last until every partition goes on, and are told of once', () => {
    const told: (string | undefined)[] = [];
    const pauses = createPauses((reason) => told.push(reason));
    pauses.set('t/0', 'down');
    pauses.set('t/1', 'down');
    pauses.set('t/0', 'down');
    pauses.set('t/0', undefined);
    expect(pauses.reason()).toBe('down');
    pauses.set('t/1', undefined);
    pauses.set('t/1', undefined);
    expect(pauses.reason()).toBeUndefined();
    expect(told).toEqual(['down', undefined]);
  });

  it('tell when the reason becomes another one', () => {
    const told: (string | undefined)[] = [];
    const pauses = createPauses((reason) => told.push(reason));
    pauses.set('t/0', 'registry');
    pauses.set('t/0', 'database');
    expect(told).toEqual(['registry', 'database']);
  });
});
