import type { Quote, QuoteRequest } from './port.ts';

/** The simulated carrier's name, as quotes, bookings and news carry it. */
export const SIMULATED_CARRIER = 'Simulated Parcels';

interface Service {
  name: string;
  /** Minor units: for the parcel, and for each piece in it. */
  base: number;
  perPiece: number;
  promisedDays: number;
}

const SERVICES: readonly Service[] = [
  { name: 'Economy', base: 290, perPiece: 5, promisedDays: 5 },
  { name: 'Express', base: 690, perPiece: 12, promisedDays: 1 },
];

/** Countries the carrier counts as near, by ISO 3166-1; a parcel without an address is collected nearby. */
const NEAR: ReadonlySet<string> = new Set(['GB', 'IE', 'FR', 'DE', 'NL', 'BE']);
const FAR = { factor: 3, days: 4 } as const;

/** The tariff of the simulated carrier: it follows from country, warehouse and pieces alone. */
export function tariff({ warehouse, shipTo, items, currency }: QuoteRequest): Quote[] {
  const pieces = items.reduce((sum, { quantity }) => sum + quantity, 0);
  const isFar = shipTo !== null && !NEAR.has(shipTo.country);
  // Some warehouses lie farther from the carrier's depot than others.
  const road = [...warehouse].reduce((sum, letter) => sum + letter.charCodeAt(0), 0) % 50;
  return SERVICES.map(({ name, base, perPiece, promisedDays }) => ({
    carrier: SIMULATED_CARRIER,
    service: name,
    price: (base + perPiece * pieces + road) * (isFar ? FAR.factor : 1),
    currency,
    promisedDays: promisedDays + (isFar ? FAR.days : 0),
  }));
}
