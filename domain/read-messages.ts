import type { CustomerActionSignal, OrderInput } from './contract.ts';
import { OmsError, shown } from './errors.ts';
import { CUSTOMER_ACTIONS, GIVEN_UP_AS, MESSAGE_KINDS, MESSAGE_RECORDS, MESSAGE_VERSION } from './order-messages.ts';
import type { LifecycleMessage } from './order-messages.ts';
import { REASON_FORMS } from './reasons.ts';

/** An incoming event by its id and the name of its record. */
export interface EventName {
  eventId: string;
  type: string;
}

/** A message as the workflow takes it in: readable, or refused with a reason. */
export type Letter =
  { event: EventName; message: LifecycleMessage } | { event: EventName; message: null; refusal: string };

/** The order's input in this version's form. @throws OmsError OMS_ORDER_INPUT_UNSUPPORTED for a version from the future */
export function upgradeInput(input: OrderInput): OrderInput {
  const version: unknown = input.v;
  if (version === 1) return input;
  throw new OmsError('OMS_ORDER_INPUT_UNSUPPORTED', `order input has version ${shown(version)}`);
}

/** A signal's message in this version's form. Anyone may send a signal, so nothing is taken for granted. */
export function readMessage(given: unknown, fallbackId: string): Letter {
  const raw: Record<string, unknown> = typeof given === 'object' && given !== null ? { ...given } : {};
  const kind = typeof raw['kind'] === 'string' ? raw['kind'] : '';
  const eventId = typeof raw['eventId'] === 'string' ? raw['eventId'] : fallbackId;
  const event = { eventId, type: MESSAGE_RECORDS[kind] ?? 'Unknown' };
  const refuse = (reason: string): Letter => ({ event, message: null, refusal: reason });
  if (raw['v'] !== MESSAGE_VERSION) return refuse(unsupported(`message version ${shown(raw['v'])}`));
  if (event.type === 'Unknown') return refuse(unsupported(`message ${shown(raw['kind'])}`));
  if (kind === MESSAGE_KINDS.cancel && !isGivenUpAs(raw['as']))
    return refuse(unsupported(`an end as ${shown(raw['as'])}`));
  if (kind === MESSAGE_KINDS.customerAction && !isAction(raw['action']))
    return refuse(REASON_FORMS.actionUnknown(shown(raw['action'])));
  return { event, message: { ...raw, eventId } as unknown as LifecycleMessage };
}

/** The reference's signal as a message of ours. */
export function readCustomerAction(given: CustomerActionSignal | undefined, fallbackId: string): Letter {
  const { action, eventId } = given ?? {};
  return readMessage({ v: MESSAGE_VERSION, kind: MESSAGE_KINDS.customerAction, action, eventId }, fallbackId);
}

function isGivenUpAs(as: unknown): boolean {
  return as === undefined || GIVEN_UP_AS.some((known) => known === as);
}

function isAction(action: unknown): boolean {
  return CUSTOMER_ACTIONS.some((known) => known === action);
}

const { unsupported } = REASON_FORMS;
