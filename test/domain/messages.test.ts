import { describe, expect, it } from '@jest/globals';
import type { OrderInput } from '../../domain/contract.ts';
import { readCustomerAction, readMessage, upgradeInput } from '../../domain/read-messages.ts';

const cancel = { v: 1, kind: 'cancel', eventId: 'e1', reason: null, fulfillmentId: null };

describe('Messages to a running order', () => {
  it('are read with the id and record name of their event', () => {
    expect(readMessage(cancel, 'x')).toEqual({ event: { eventId: 'e1', type: 'OrderCancelled' }, message: cancel });
    const failed = { ...cancel, as: 'failed' };
    expect(readMessage(failed, 'x').message).toEqual(failed);
  });

  it("take the reference's customer action, named by us when it comes without an event id", () => {
    const letter = readCustomerAction({ action: 'amend' }, 'signal-1');
    expect(letter.event).toEqual({ eventId: 'signal-1', type: 'CustomerAction' });
    expect(letter.message).toMatchObject({ kind: 'customerAction', action: 'amend' });
  });

  const refused: [string, unknown][] = [
    ['a version from the future', { ...cancel, v: 2 }],
    ['a kind nobody knows', { ...cancel, kind: 'explode' }],
    ['an unknown customer action', { v: 1, kind: 'customerAction', eventId: 'e1', action: 'dance' }],
    ['a cancel that ends in an unknown way', { ...cancel, as: 'completed' }],
    ['no object at all', 'cancel!'],
    ['nothing', undefined],
  ];
  it.each(refused)('refuse %s with a reason, instead of failing', (_, raw) => {
    expect(readMessage(raw, 'x')).toMatchObject({ message: null, refusal: expect.stringContaining('OMS_') as unknown });
  });
});

describe('The input of an order', () => {
  it('of a version from the future stops the workflow task with a code', () => {
    const input = { v: 2, orderId: 'o' } as unknown as OrderInput;
    expect(() => upgradeInput(input)).toThrow(expect.objectContaining({ code: 'OMS_ORDER_INPUT_UNSUPPORTED' }));
  });
});
