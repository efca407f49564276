import type { AllocationStrategy } from '../../domain/allocation.ts';
import type { CarrierUpdate } from '../../domain/carrier-status.ts';
import { OmsError } from '../../domain/errors.ts';
import type { PricingRules } from '../../domain/invoice.ts';
import type { PaymentMode } from '../../domain/money.ts';
import { applyCarrierUpdate } from '../../orders/steps/carrier-updates.ts';
import type { AppliedUpdate } from '../../orders/steps/carrier-updates.ts';
import type { FaultRule } from '../../platform/config/fault-rules.ts';
import type { CarrierFault, PaymentFault } from '../../platform/config/settings.ts';
import { createCarrierSimulator } from '../../providers/carrier/simulator.ts';
import { createPaymentSimulator } from '../../providers/payment/simulator.ts';
import type { RetryLimits } from '../../workers/activities/failures.ts';
import { createActivities } from '../../workers/activities/index.ts';
import type { Activities } from '../../workers/activities/index.ts';
import { createOrderWorld, silent } from './order-world.ts';
import type { OrderWorld } from './order-world.ts';

/** An order world with the activities on it and simulated providers behind them. */
export interface FulfillmentWorld extends OrderWorld {
  activities: Activities;
  /** Providers that are away while true: no call reaches them. */
  away: { payment: boolean; carrier: boolean };
  /** What the payment provider took and gave back for a key; null when it never saw it. */
  charged(key: string): Promise<{ taken: number; refunded: number } | null>;
  /** News from the carrier, as its receiver would apply it. */
  news(shipmentId: string, status: CarrierUpdate['status'], updateId?: string): Promise<AppliedUpdate>;
}

export interface FulfillmentWorldOptions {
  payment?: FaultRule<PaymentFault>[];
  carrier?: FaultRule<CarrierFault>[];
  /** @default charge */
  paymentMode?: PaymentMode;
  /** From booking to pick-up. @default an hour: a booking can be called off */
  pickupMs?: number;
  /** What is charged beside PRICING. */
  pricing?: Partial<PricingRules>;
  /** How orders are split. @default fewest shipments */
  strategy?: AllocationStrategy;
  /** Longest waits between attempts at providers. */
  retryLimitMs?: RetryLimits;
  /** Told of every attempt that failed. */
  onFailure?: (activity: string, code: string) => void;
}

/** Money and goods in numbers a test can check by heart: 20 % tax, 5.00 shipping. */
export const PRICING = { taxRates: { '*': 2_000, DE: 1_900 }, shippingPrices: { '*': 500, EUR: 600 } };

const HOUR_MS = 3_600_000;

export async function createFulfillmentWorld(options: FulfillmentWorldOptions = {}): Promise<FulfillmentWorld> {
  const world = await createOrderWorld();
  const { db } = world;
  const { payment = [], carrier = [], pickupMs = HOUR_MS, paymentMode = 'charge' } = options;
  const away = { payment: false, carrier: false };
  const unavailable = { payment: 'OMS_PAYMENT_UNAVAILABLE', carrier: 'OMS_CARRIER_UNAVAILABLE' } as const;
  const line = <T extends object>(to: keyof typeof away, port: T): T => {
    const call =
      (method: (...args: unknown[]) => Promise<unknown>) =>
      async (...args: unknown[]) => {
        if (away[to]) throw new OmsError(unavailable[to], `the ${to} provider is away`);
        return method(...args);
      };
    return Object.fromEntries(Object.entries(port).map(([name, method]) => [name, call(method as never)])) as T;
  };
  const activities = createActivities({
    ...world,
    payment: line('payment', createPaymentSimulator({ db, latencyMs: 0, faults: payment })),
    carrier: line('carrier', createCarrierSimulator({ db, latencyMs: 0, pickupMs, faults: carrier })),
    pricing: { ...PRICING, ...options.pricing },
    paymentMode,
    strategy: options.strategy,
    logger: silent,
    ...(options.retryLimitMs ? { retryLimitMs: options.retryLimitMs } : {}),
    ...(options.onFailure ? { onFailure: options.onFailure } : {}),
  });
  return {
    ...world,
    activities,
    away,
    charged: async (key) => {
      const row = await db.selectFrom('simulated_charges').selectAll().where('key', '=', key).executeTakeFirst();
      return row ? { taken: row.captured, refunded: row.refunded } : null;
    },
    news: (shipmentId, status, updateId = `${shipmentId}/${status}`) =>
      applyCarrierUpdate(db, world.encoder, {
        updateId,
        shipmentId,
        status,
        at: Date.UTC(2026, 0, 2),
        carrier: 'Carrier',
        trackingNumber: 'T-1',
        detail: null,
      }),
  };
}

/** A fault that strikes every key with this start. */
export function always<K extends string>(kind: K, prefix: string): FaultRule<K> {
  return { kind, share: 1, prefix };
}
