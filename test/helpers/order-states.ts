import type { OrderState } from '../../domain/contract.ts';

/** What tests wait for, by the answer of an order's `status` query. */
export const isAsked = ({ status }: OrderState): boolean => status === 'customerActionRequired';

/** Every shipment of the order is booked. */
export const areBooked = ({ fulfillments }: OrderState): boolean =>
  fulfillments?.every(({ shipment }) => shipment === 'booked') ?? false;

/** Every shipment that was not given up is booked. */
export const isRestBooked = ({ fulfillments }: OrderState): boolean =>
  fulfillments?.every(({ shipment, status }) => shipment === 'booked' || status === 'cancelled') ?? false;
