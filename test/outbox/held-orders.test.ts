import { describe, expect, it } from '@jest/globals';
import { createHeldOrders } from '../../outbox/sender.ts';

function heldAt() {
  const clock = { now: 0 };
  return { clock, held: createHeldOrders(() => clock.now) };
}

describe('orders that are held back', () => {
  it('wait, and are tried again when the wait is over', () => {
    const { clock, held } = heldAt();
    const waitMs = held.add('order-1');
    expect(held.waiting()).toEqual(['order-1']);
    clock.now = waitMs;
    expect(held.waiting()).toEqual([]);
  });

  it('wait twice as long each time in a row, a minute at most', () => {
    const { held } = heldAt();
    const waits = Array.from({ length: 10 }, () => held.add('order-1'));
    expect(waits.slice(0, 4)).toEqual([500, 1_000, 2_000, 4_000]);
    expect(waits.at(-1)).toBe(60_000);
  });

  it('begin with a short wait again after they went on', () => {
    const { held } = heldAt();
    held.add('order-1');
    held.add('order-1');
    held.remove('order-1');
    expect(held.waiting()).toEqual([]);
    expect(held.add('order-1')).toBe(500);
  });

  it('do not make each other wait', () => {
    const { clock, held } = heldAt();
    held.add('order-1');
    held.add('order-1');
    held.add('order-2');
    clock.now = 500;
    expect(held.waiting()).toEqual(['order-1']);
  });
});
