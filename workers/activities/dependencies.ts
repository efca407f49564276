import type { AllocationStrategy } from '../../domain/allocation.ts';
import type { DrawDependencies } from '../../orders/steps/draw.ts';
import type { Logger } from '../../platform/logger.ts';
import type { CarrierProvider } from '../../providers/carrier/port.ts';
import type { PaymentProvider } from '../../providers/payment/port.ts';
import type { RetryLimits } from './failures.ts';

/** What the activities work with. */
export interface ActivityDependencies extends DrawDependencies {
  payment: PaymentProvider;
  carrier: CarrierProvider;
  logger: Logger;
  /** How orders are split by warehouse. @default fewest shipments */
  strategy?: AllocationStrategy;
  /** Longest waits between attempts at providers. @default those of the workflow's retry policy */
  retryLimitMs?: RetryLimits;
  /** Told of every attempt that failed. */
  onFailure?: (activity: string, code: string) => void;
}
