export * from './generated/order-event.ts';
export * from './generated/shipment-event.ts';
export * from './generated/invoice-event.ts';
export * from './generated/delivery-event.ts';
export * from './generated/carrier-update.ts';
export * from './generated/stock-level.ts';
// Records of `order-status` share names with the words of domain/status.ts: import them from here by the module.
export { orderStatusSchema } from './generated/order-status.ts';
export type {
  OrderStatus as OrderStatusRecord,
  Fulfillment as FulfillmentRecord,
  Sequences,
} from './generated/order-status.ts';
