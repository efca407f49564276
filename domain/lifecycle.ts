import type { Address, OrderItem } from './order.ts';

/** Version of the messages below; upgraded by `upgradeMessage` in one place when it grows. */
export const MESSAGE_VERSION = 1;

interface MessageBase {
  v: typeof MESSAGE_VERSION;
  /** The incoming event's id: the workflow handles each once. */
  eventId: string;
}

export interface CustomerActionMessage extends MessageBase {
  kind: 'customerAction';
  /** `amend` goes on without what is unavailable; `cancel` gives the order up. */
  action: 'amend' | 'cancel';
}

export interface CancelMessage extends MessageBase {
  kind: 'cancel';
  reason: string | null;
  /** Only this fulfillment; null = the whole order. */
  fulfillmentId: string | null;
  /** How what is given up ends: `failed` when an operator gives an order up that cannot be carried out. @default cancelled */
  as?: GivenUpAs;
}

/** How a fulfillment that is given up may end. */
export const GIVEN_UP_AS = ['cancelled', 'failed'] as const;
export type GivenUpAs = (typeof GIVEN_UP_AS)[number];

export interface AmendMessage extends MessageBase {
  kind: 'amend';
  items: OrderItem[] | null;
  shipTo: Address | null;
}

/** Something that happens to an order after it was placed, as ingest hands it to the workflow. */
export type LifecycleMessage = CustomerActionMessage | CancelMessage | AmendMessage;
