import type { EachBatchPayload } from 'kafkajs';
import { toConsumedRecord } from '../consumer/consumed-record.ts';
import { beating } from '../consumer/heartbeat.ts';
import { advance } from './range-state.ts';
import type { Session } from './range-state.ts';

export const HEARTBEAT_MS = 3_000;

/** Takes a batch of one partition; what its taking throws ends the session. */
export async function takeBatch(session: Session, payload: EachBatchPayload): Promise<void> {
  session.inHand++;
  try {
    await handBatch(session, payload);
  } catch (error) {
    session.fail(error);
  } finally {
    session.inHand--;
    session.quiet.forgetAll();
  }
}

/** Hands a batch over, chunk by chunk, while the group is told that we are alive. */
async function handBatch(session: Session, payload: EachBatchPayload): Promise<void> {
  const { options, open } = session;
  const { topic, onRecords, chunkRecords = 1_000 } = options;
  const { partition, messages } = payload.batch;
  const range = open.get(partition);
  if (!range || payload.isStale()) return;
  const isOver = (): boolean => session.isOver || (options.signal?.aborted ?? false);
  const wanted = messages
    .map((message) => toConsumedRecord(topic, partition, message))
    .filter(({ offset }) => offset >= range.next && offset < range.end);
  const past = BigInt(payload.batch.lastOffset()) + 1n;
  // A beat that fails is the next fetch's concern: after a rebalance the reading goes on from where it stands.
  const end = beating(HEARTBEAT_MS, () => payload.heartbeat().catch(() => undefined));
  try {
    for (let at = 0; at < wanted.length && !isOver(); at += chunkRecords) {
      const chunk = wanted.slice(at, at + chunkRecords);
      const next = (chunk.at(-1)?.offset ?? range.next) + 1n;
      await onRecords(chunk, next);
      advance(session, partition, next);
    }
    if (isOver()) return;
    advance(session, partition, past);
    payload.resolveOffset(String(past - 1n));
  } finally {
    end();
  }
}
