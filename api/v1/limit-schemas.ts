import { z } from 'zod';
import { NO_LIMIT } from '../../domain/money.ts';
import { customerId, knownCurrency, minorUnits } from './atoms.ts';

const NONE = 'none';
export const limitBody = z
  .object({
    limit: z
      .union(
        [
          z
            .int()
            .min(0)
            .max(NO_LIMIT - 1),
          z.literal(NONE),
        ],
        'must be 0 or more whole minor units, or none',
      )
      .describe('Most that may be spent, in minor units; `none` = nothing is too much.'),
  })
  .strict()
  .meta({ id: 'Limit' });

const limitOut = z.union([z.int(), z.literal(NONE)]);

export const defaultLimit = z.object({ currency: z.string(), limit: limitOut }).meta({ id: 'DefaultLimit' });

export const defaultLimits = z.object({ items: z.array(defaultLimit) }).meta({ id: 'DefaultLimits' });

export const spending = z
  .object({
    currency: z.string(),
    spent: minorUnits.describe('Charged, less what was credited.'),
    limit: limitOut.nullable().describe("The customer's own; null = the default of the currency holds."),
    effectiveLimit: z.int().nullable().describe('What holds; null = nothing is too much.'),
  })
  .meta({ id: 'Spending' });

export const customerSpend = z
  .object({ customerId: z.string(), currencies: z.array(spending) })
  .meta({ id: 'CustomerSpend' });

export const maintenance = z
  .object({
    on: z.boolean('must be true or false').describe('True: payments are held, and orders wait for it to end.'),
  })
  .strict()
  .meta({ id: 'Maintenance' });

export const ofCustomer = z.object({ id: customerId });
export const ofCurrency = z.object({ currency: knownCurrency });
export const noContent = z.undefined().describe('Done.');

/** A limit as it is shown, and as it is stored. */
export const shownLimit = (limit: number): number | typeof NONE => (limit === NO_LIMIT ? NONE : limit);
export const storedLimit = (limit: number | typeof NONE): number => (limit === NONE ? NO_LIMIT : limit);
