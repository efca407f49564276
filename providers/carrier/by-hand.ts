import { sql } from 'kysely';
import type { Tables } from '../../database/tables.ts';
import type { SimulatorDatabase } from '../tables.ts';
import type { TrackedStatus, Tracking } from './port.ts';

/**
 * Parcels that somebody moves by hand: all the simulated carrier knows of them is what the OMS was told in its name, so
 * here it looks at the OMS's own records, and never says otherwise.
 */
export async function isPickedUpByHand(db: SimulatorDatabase, key: string): Promise<boolean> {
  const row = await db
    .$extendTables<Pick<Tables, 'shipments'>>()
    .selectFrom('shipments')
    .select('shipment_id')
    .where('shipment_id', '=', key)
    .where('dispatched_at', 'is not', null)
    .executeTakeFirst();
  return row !== undefined;
}

/** The last thing that was told of a parcel and counted; null when there is none. */
export async function trackByHand(db: SimulatorDatabase, key: string): Promise<Tracking | null> {
  const { rows } = await sql<{ status: string; update_id: string; occurred_at: Date }>`
    select status, update_id, occurred_at from carrier_updates where shipment_id = ${key} and applied
    order by received_at desc, occurred_at desc limit 1`.execute(db);
  const [last] = rows;
  return last
    ? { status: last.status as TrackedStatus, updateId: last.update_id, at: last.occurred_at.getTime() }
    : null;
}
