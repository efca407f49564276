import type { Admin } from 'kafkajs';
import { OmsError } from '../../domain/errors.ts';
import { logEnds } from '../admin/log-ends.ts';
import { advance, endIfRead } from './range-state.ts';
import type { Session } from './range-state.ts';
import type { Range } from './range-types.ts';

/** Finds the end of ranges whose last records are gone, or are none for us, and topics that were made anew. */
export async function checkIdle(session: Session, admin: Admin): Promise<void> {
  const { open, quiet, options } = session;
  if (session.isOver || session.inHand > 0) return;
  const wereQuiet = new Set([...open.keys()].filter((partition) => quiet.isQuiet(partition)));
  if (quiet.knowsLeaders() && wereQuiet.size === 0) return;
  // Of a partition whose leader has moved the old one's answers say nothing.
  await quiet.learnLeaders(admin, options.topic);
  const ends = await logEnds(admin, options.topic);
  // The answers may have taken their time: meanwhile something may have come.
  if (session.isOver || session.inHand > 0) return;
  for (const { partition, high } of ends) {
    const range = open.get(partition);
    if (range && BigInt(high) < range.end) return session.fail(changed(options.topic, range, high));
    // The log goes on to the end of the range, and has nothing to read up to there.
    if (range && wereQuiet.has(partition) && quiet.isQuiet(partition)) advance(session, partition, range.end);
  }
  endIfRead(session);
}

function changed(topic: string, { partition, end }: Range, high: string): OmsError {
  const message = `partition ${partition} of ${topic} ends at ${high}; it ended at ${end} or later when this was planned`;
  return new OmsError('OMS_REPLAY_TOPIC_CHANGED', message);
}
