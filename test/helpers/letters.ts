import { listDeadLetters } from '../../database/dead-letters.ts';
import type { StoredDeadLetter } from '../../database/dead-letters.ts';
import type { Incoming, IngestWorld } from './ingest-world.ts';
import { waitFor } from './wait.ts';

/** Dead letters of an order's records. */
export const lettersOf = (world: IngestWorld, orderId: string): Promise<StoredDeadLetter[]> =>
  listDeadLetters(world.db, { orderId });

/** Puts a record on its topic that is refused; its dead letter once it is sent. */
export async function refusedLetter(world: IngestWorld, orderId: string, record: Incoming): Promise<StoredDeadLetter> {
  await world.produce(record);
  return waitFor(`the dead letter of ${orderId}`, async () =>
    (await lettersOf(world, orderId)).find((one) => one.sentAt),
  );
}
