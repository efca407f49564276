import type { Database } from '../../database/database.ts';
import { readOrder } from '../../orders/record/load.ts';
import type { WholeDatabase } from './database.ts';

/** Memory of the simulated providers. */
const PROVIDERS = ['simulated_charges', 'simulated_refunds', 'simulated_bookings'] as const;

/** What the providers remember is somebody else's, and not lost with a database of ours. */
export async function giveProvidersTheirMemory(from: WholeDatabase, to: WholeDatabase): Promise<void> {
  for (const table of PROVIDERS) {
    const rows = await from.selectFrom(table).selectAll().execute();
    await to.deleteFrom(table).execute();
    if (rows.length > 0) await to.insertInto(table).values(rows).execute();
  }
}

/** An order without what no topic tells: times of our own steps, and reasons of parts. */
export async function stateOf(db: Database, orderId: string): Promise<unknown> {
  const order = await readOrder(db, orderId);
  return (
    order && {
      ...{ ...order, now: 0, askedAt: 0, runId: null },
      fulfillments: order.fulfillments.map((f) => ({
        ...{ ...f, reason: null },
        payment: f.payment && { ...f.payment, settledAt: null },
        creditNotes: f.creditNotes.map((note) => ({ ...note, settledAt: note.settledAt !== null })),
        shipment: f.shipment && {
          ...{ ...f.shipment, service: null, quotedPrice: null },
          ...{ bookedAt: f.shipment.bookedAt !== null, dispatchedAt: f.shipment.dispatchedAt !== null },
          endedAt: f.shipment.endedAt !== null,
        },
      })),
    }
  );
}
