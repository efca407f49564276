import { openDatabase } from '../../database/database.ts';
import { createPublisher } from '../../kafka/producer/publisher.ts';
import { redriveLetter } from '../../operations/dead-letters/redrive.ts';
import { loadConfig } from '../../platform/config/load.ts';
import { silent } from './order-world.ts';

/** Puts a dead letter's record back on its topic, and is killed at a step of it. */
const [letterId = '', killAt] = process.argv.slice(2);
const config = loadConfig();
const db = openDatabase({ url: config.DATABASE_URL, poolSize: 2, applicationName: 'test' });
const publisher = createPublisher({
  connection: { brokers: config.KAFKA_BROKERS, clientId: 'test', logger: silent },
});
const onStep = (step: string): void => void (step === killAt && process.kill(process.pid, 'SIGKILL'));
await redriveLetter({ db, publisher, onStep }, letterId, { who: 'tester', why: 'to be killed' });
await publisher.close();
await db.destroy();
