import { CancellationScope, defineQuery, defineSignal, patched, setHandler } from '@temporalio/workflow';
import { CAUSES } from '../domain/causes.ts';
import { REASONS } from '../domain/reasons.ts';
import {
  CUSTOMER_ACTION_SIGNAL,
  LIFECYCLE_SIGNAL,
  PATCHES,
  SHIPMENT_STATUS_SIGNAL,
  STATUS_QUERY,
} from '../domain/contract.ts';
import type { CustomerActionSignal, OrderState, ShipmentStatusSignal } from '../domain/contract.ts';
import type { LifecycleMessage } from '../domain/lifecycle.ts';
import { MESSAGE_KINDS, MESSAGE_VERSION } from '../domain/lifecycle.ts';
import { readCustomerAction, readMessage } from '../domain/messages.ts';
import { stateOf } from './story.ts';
import type { Story } from './story.ts';

export const lifecycleSignal = defineSignal<[LifecycleMessage]>(LIFECYCLE_SIGNAL);
export const customerActionSignal = defineSignal<[CustomerActionSignal]>(CUSTOMER_ACTION_SIGNAL);
export const shipmentStatusSignal = defineSignal<[ShipmentStatusSignal]>(SHIPMENT_STATUS_SIGNAL);
export const statusQuery = defineQuery<OrderState>(STATUS_QUERY);

/** Opens the order's ears: handlers only take in, the story answers. */
export function listen(story: Story): void {
  const { mailbox } = story;
  setHandler(lifecycleSignal, (message) => receive(story, message));
  setHandler(customerActionSignal, (signal) => mailbox.post(readCustomerAction(signal, mailbox.nameless())));
  // The news itself is in the database; the signal only says that it is worth looking.
  setHandler(shipmentStatusSignal, () => void (story.settled = true));
  setHandler(statusQuery, () => stateOf(story));
  turnCancelRequestIntoMessage(story);
}

/** Takes a message in. Runs that began before version 0.2 refuse an amendment that came to them then. */
export function receive({ mailbox }: Story, message: LifecycleMessage): void {
  const letter = readMessage(message, mailbox.nameless());
  const isAmendment = letter.message?.kind === 'amend';
  mailbox.post(
    isAmendment && !patched(PATCHES.amend) ? { ...letter, message: null, refusal: REASONS.amendUnsupported } : letter,
  );
}

/** A cancel request from Temporal's own tools is the same wish as a cancel from upstream. */
function turnCancelRequestIntoMessage({ mailbox }: Story): void {
  const reason = REASONS.cancelledInTemporal;
  const message = {
    v: MESSAGE_VERSION,
    kind: MESSAGE_KINDS.cancel,
    eventId: CAUSES.temporalCancel,
    reason,
    fulfillmentId: null,
  } as const;
  CancellationScope.current().cancelRequested.catch(() => mailbox.post(readMessage(message, message.eventId)));
}
