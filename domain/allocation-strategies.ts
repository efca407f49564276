import { fewestShipments } from './allocation.ts';
import type { AllocationStrategy } from './allocation.ts';

const UNAVAILABLE = 'Adidas';
const FIRST_WAREHOUSE = 'Warehouse A';
const OTHER_WAREHOUSE = 'Warehouse B';

/**
 * The rule by which the reference order management system simulates its inventory: lines whose SKU contains `Adidas` are
 * unavailable; of the others the first ships from Warehouse A and all further ones from Warehouse B. Lines are never
 * split, quantities do not count, and no stock is kept.
 */
export const referenceRule: AllocationStrategy = {
  keepsStock: false,
  allocate: (lines) => {
    const unavailable = lines.filter((line) => line.sku.includes(UNAVAILABLE));
    const [first, ...others] = lines.filter((line) => !line.sku.includes(UNAVAILABLE));
    const lots = [
      { warehouse: FIRST_WAREHOUSE, lines: first ? [first] : [] },
      { warehouse: OTHER_WAREHOUSE, lines: others },
    ];
    return { unavailable, allotments: lots.filter((lot) => lot.lines.length > 0) };
  },
};

/** The strategies by the name the setting `OMS_ALLOCATION` gives them. */
export const ALLOCATION_NAMES = ['fewest-shipments', 'reference'] as const;
export type AllocationName = (typeof ALLOCATION_NAMES)[number];

export const ALLOCATION_STRATEGIES: Readonly<Record<AllocationName, AllocationStrategy>> = {
  'fewest-shipments': fewestShipments,
  reference: referenceRule,
};
