import type { Address, OrderItem } from './order.ts';

/** Version of the messages below; upgraded by `upgradeMessage` in one place when it grows. */
export const MESSAGE_VERSION = 1;

/** Kinds of messages, as they stand in histories and in the database. */
export const MESSAGE_KINDS = { customerAction: 'customerAction', cancel: 'cancel', amend: 'amend' } as const;

/** What a customer may answer when something is unavailable; the reference's words. */
export const CUSTOMER_ACTIONS = ['amend', 'cancel'] as const;
export type CustomerActionName = (typeof CUSTOMER_ACTIONS)[number];

interface MessageBase {
  v: typeof MESSAGE_VERSION;
  /** The incoming event's id: the workflow handles each once. */
  eventId: string;
}

export interface CustomerActionMessage extends MessageBase {
  kind: typeof MESSAGE_KINDS.customerAction;
  /** `amend` goes on without what is unavailable; `cancel` gives the order up. */
  action: CustomerActionName;
}

export interface CancelMessage extends MessageBase {
  kind: typeof MESSAGE_KINDS.cancel;
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
  kind: typeof MESSAGE_KINDS.amend;
  items: OrderItem[] | null;
  shipTo: Address | null;
}

/** Something that happens to an order after it was placed, as ingest hands it to the workflow. */
export type LifecycleMessage = CustomerActionMessage | CancelMessage | AmendMessage;

/** The record of the order event that each kind comes from; stands as the event's type in the ledger. */
export const MESSAGE_RECORDS: Readonly<Record<string, string>> = {
  customerAction: 'CustomerAction',
  cancel: 'OrderCancelled',
  amend: 'OrderAmended',
} satisfies Record<LifecycleMessage['kind'], string>;

/** A promise about an order that was not kept: it is told and shown, and changes nothing else. */
export const OVERDUES = ['shipBy', 'deliverBy'] as const;
export type Overdue = (typeof OVERDUES)[number];
