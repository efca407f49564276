import { fewestShipments } from './allocation.ts';
import type { AllocationStrategy } from './allocation.ts';
import { referenceRule } from './reference-rule.ts';

/** The strategies by the name the setting `OMS_ALLOCATION` gives them. */
export const ALLOCATION_NAMES = ['fewest-shipments', 'reference'] as const;
export type AllocationName = (typeof ALLOCATION_NAMES)[number];

export const ALLOCATION_STRATEGIES: Readonly<Record<AllocationName, AllocationStrategy>> = {
  'fewest-shipments': fewestShipments,
  reference: referenceRule,
};
