/** A line of an order that wants stock. */
export interface WantedLine {
  line: number;
  sku: string;
  quantity: number;
}

/** Pieces of a SKU that a warehouse could still promise. */
export interface FreeStock {
  warehouse: string;
  sku: string;
  free: number;
}

/** What one warehouse ships. */
export interface Allotment {
  warehouse: string;
  lines: WantedLine[];
}

export interface Allocation {
  /** Lines no stock was found for, whole lines only. */
  unavailable: WantedLine[];
  allotments: Allotment[];
}

/** How lines are shared out to warehouses. */
export interface AllocationStrategy {
  /** Whether the pieces it gives out are reserved and committed; if not, it is shown no stock, and none is ever moved. */
  readonly keepsStock: boolean;
  /** Pure, so that the same stock gives the same split. */
  readonly allocate: (lines: readonly WantedLine[], stock: readonly FreeStock[]) => Allocation;
}

/** Subsets of at most this many warehouses are compared; with more, only those that hold most of what is wanted. */
const MAX_COMPARED = 10;

type Shelf = Map<string, number>;

/**
 * As few shipments as possible. A line goes to one warehouse where that is possible, else it is split by quantity.
 * A line is unavailable when all warehouses together cannot fill it; an unknown SKU is not in stock.
 */
export const fewestShipments: AllocationStrategy = { keepsStock: true, allocate: allocateToFewest };

function allocateToFewest(lines: readonly WantedLine[], stock: readonly FreeStock[]): Allocation {
  const shelves = shelvesOf(stock);
  const { available, unavailable } = sortOut(lines, stock);
  const chosen = fewestCovering(demandOf(available), shelves);
  const lots = new Map(chosen.map((warehouse) => [warehouse, [] as WantedLine[]]));
  for (const line of available) allot(line, chosen, shelves, lots);
  const allotments = chosen.map((warehouse) => ({ warehouse, lines: lots.get(warehouse) ?? [] }));
  return { unavailable, allotments: allotments.filter((lot) => lot.lines.length > 0) };
}

function shelvesOf(stock: readonly FreeStock[]): Map<string, Shelf> {
  const shelves = new Map<string, Shelf>();
  for (const { warehouse, sku, free } of stock) {
    const shelf = shelves.get(warehouse) ?? new Map<string, number>();
    shelves.set(warehouse, shelf.set(sku, free));
  }
  return shelves;
}

/** In order of the lines: each takes its pieces from the sum over all warehouses, or is unavailable as a whole. */
function sortOut(lines: readonly WantedLine[], stock: readonly FreeStock[]) {
  const left = new Map<string, number>();
  for (const { sku, free } of stock) left.set(sku, (left.get(sku) ?? 0) + free);
  const available: WantedLine[] = [];
  const unavailable: WantedLine[] = [];
  for (const line of lines) {
    const free = left.get(line.sku) ?? 0;
    if (free < line.quantity) unavailable.push(line);
    else {
      left.set(line.sku, free - line.quantity);
      available.push(line);
    }
  }
  return { available, unavailable };
}

function demandOf(lines: readonly WantedLine[]): Map<string, number> {
  const demand = new Map<string, number>();
  for (const { sku, quantity } of lines) demand.set(sku, (demand.get(sku) ?? 0) + quantity);
  return demand;
}

/** The smallest set of warehouses that together hold the demand; among equals the one whose members hold most alone. */
function fewestCovering(demand: Map<string, number>, shelves: Map<string, Shelf>): string[] {
  if (demand.size === 0) return [];
  const ranked = [...shelves.keys()]
    .map((warehouse) => ({ warehouse, filled: filledAlone(demand, shelves.get(warehouse)) }))
    .sort((a, b) => b.filled - a.filled || (a.warehouse < b.warehouse ? -1 : 1))
    .map(({ warehouse }) => warehouse);
  const compared = ranked.slice(0, MAX_COMPARED);
  for (let size = 1; size <= compared.length; size++) {
    for (const subset of subsets(compared, size)) if (covers(demand, subset, shelves)) return subset;
  }
  return ranked;
}

/** How many SKUs of the demand a warehouse could fill on its own. */
function filledAlone(demand: Map<string, number>, shelf: Shelf | undefined): number {
  let filled = 0;
  for (const [sku, quantity] of demand) if ((shelf?.get(sku) ?? 0) >= quantity) filled++;
  return filled;
}

function covers(demand: Map<string, number>, warehouses: readonly string[], shelves: Map<string, Shelf>): boolean {
  for (const [sku, quantity] of demand) {
    let held = 0;
    for (const warehouse of warehouses) held += shelves.get(warehouse)?.get(sku) ?? 0;
    if (held < quantity) return false;
  }
  return true;
}

function* subsets<T>(members: readonly T[], size: number, from = 0): Generator<T[]> {
  if (size === 0) {
    yield [];
    return;
  }
  for (let i = from; i <= members.length - size; i++) {
    for (const rest of subsets(members, size - 1, i + 1)) yield [members[i] as T, ...rest];
  }
}

/** Takes a line off the shelves: whole from the first warehouse that can, else piece by piece, the fullest shelf first. */
function allot(line: WantedLine, chosen: string[], shelves: Map<string, Shelf>, lots: Map<string, WantedLine[]>): void {
  const held = (warehouse: string): number => shelves.get(warehouse)?.get(line.sku) ?? 0;
  const take = (warehouse: string, quantity: number): void => {
    shelves.get(warehouse)?.set(line.sku, held(warehouse) - quantity);
    lots.get(warehouse)?.push({ ...line, quantity });
  };
  const whole = chosen.find((warehouse) => held(warehouse) >= line.quantity);
  if (whole !== undefined) return take(whole, line.quantity);
  let wanted = line.quantity;
  for (const warehouse of chosen.toSorted((a, b) => held(b) - held(a))) {
    const quantity = Math.min(wanted, held(warehouse));
    if (quantity > 0) take(warehouse, quantity);
    wanted -= quantity;
  }
}

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
