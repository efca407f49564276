import { pino } from 'pino';
import { createKafka } from '../../kafka/client/client.ts';
import { waitFor } from './wait.ts';

/** Enough group names to meet each of the 50 partitions that keep groups' offsets, with some to spare. */
const GROUPS_ASKED = 250;

/** A fresh broker answers "not coordinator" for each partition of group offsets until it has loaded it: none is left. */
export async function warmCoordinators(brokers: string): Promise<void> {
  const kafka = createKafka({
    brokers: brokers.split(','),
    clientId: 'warm-up',
    logger: pino({ level: 'silent' }),
    retries: 10,
  });
  const admin = kafka.admin();
  await admin.connect();
  for (let i = 0; i < GROUPS_ASKED; i++) {
    await waitFor('the group coordinators', () =>
      admin.fetchOffsets({ groupId: `warm-up-${i}` }).then(
        () => true,
        () => false,
      ),
    );
  }
  await admin.disconnect();
}
