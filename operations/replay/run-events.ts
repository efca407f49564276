import { setTimeout as sleep } from 'node:timers/promises';
import { orUnavailable } from '../../database/database.ts';
import { newerStatuses, readArchive } from '../../database/outbox/outbox-archive.ts';
import type { ArchivedEvent, ToldEvent } from '../../database/outbox/outbox-archive.ts';
import type { Tallies } from '../../database/replays/replay-parts.ts';
import { OmsError } from '../../domain/errors.ts';
import { REPLAY_HEADER } from '../../kafka/headers.ts';
import type { OutgoingRecord, Publisher } from '../../kafka/producer/publisher.ts';
import { patiently } from './patience.ts';
import type { Run } from './run-records.ts';
import { count, tallied } from './track.ts';

const PAGE = 500;
/** The one partition of a range of the outbox. */
const OUTBOX = 0;

/**
 * Tells events of the outbox again, in the order they were told first: same id, key, bytes and time, with one header more.
 * Of `order-status` only the newest of each order, and on its live topic never as the last word when a newer one is out.
 */
export async function runEvents(run: Run, publisher: Publisher): Promise<void> {
  const { replay, track, parts, signal, onWait, pace } = run;
  const [range] = track.parts();
  while (range && range.next < range.end && !signal.aborted) {
    const size = Math.min(PAGE, pace.atOnce);
    const page = await patiently(
      () => orUnavailable(readArchive(parts.db, replay.options, range, size)),
      signal,
      onWait,
    );
    const wanted = page.filter((event) => event.isSent && !event.isSuperseded);
    await run.pressure.wait(signal, onWait);
    await pace.take(wanted.length, signal);
    if (signal.aborted) return;
    const effects = await tellAll(run, publisher, wanted);
    const next = (page.at(-1)?.id ?? range.end - 1) + 1;
    await patiently(() => track.advance(OUTBOX, next, { tallies: tallied(page.map(whatOf)), effects }), signal, onWait);
    run.onProgress();
  }
}

function whatOf({ isSent, isSuperseded, topic }: ArchivedEvent): string {
  if (isSuperseded) return 'superseded';
  return isSent ? topic : 'unsent';
}

async function tellAll(run: Run, publisher: Publisher, events: readonly ToldEvent[]): Promise<Tallies> {
  const effects: Tallies = {};
  await tell(run, publisher, events, effects);
  if (run.replay.options.to === null) await overtaken(run, publisher, events, effects);
  return effects;
}

const NEWER_WAIT_MS = 100;

/**
 * An order that moved while its status was told again may have the older one as the last on the live topic: its newest is
 * told once more behind it, as soon as it has been sent at all.
 */
async function overtaken(
  run: Run,
  publisher: Publisher,
  events: readonly ToldEvent[],
  effects: Tallies,
): Promise<void> {
  const { parts, signal, onWait } = run;
  let told = events.filter((event) => event.topic === 'order-status');
  while (told.length > 0 && !signal.aborted) {
    const newer = await patiently(() => orUnavailable(newerStatuses(parts.db, told)), signal, onWait);
    const unsent = new Set(newer.filter(({ event }) => event === null).map(({ orderId }) => orderId));
    const sent = newer.flatMap(({ event }) => event ?? []);
    await tell(run, publisher, sent, effects);
    told = [...told.filter(({ orderId }) => unsent.has(orderId)), ...sent];
    if (unsent.size > 0) await sleep(NEWER_WAIT_MS, undefined, { signal }).catch(() => undefined);
  }
}

interface ToldRecord extends OutgoingRecord {
  event: ToldEvent;
}

async function tell(run: Run, publisher: Publisher, events: readonly ToldEvent[], effects: Tallies): Promise<void> {
  const { signal, onWait } = run;
  let waiting: readonly ToldRecord[] = events.map((event) => recordOf(run, event));
  await patiently(
    async () => {
      const { sent, held } = await publisher.publish(waiting);
      for (const { record } of sent) count(effects, record.event.topic);
      for (const { error } of held) if (!error.retryable) count(effects, 'held');
      waiting = held.filter(({ error }) => error.retryable).map(({ record }) => record);
      if (waiting.length > 0) throw held.find(({ error }) => error.retryable)?.error ?? unconfirmed();
    },
    signal,
    onWait,
  );
}

const unconfirmed = (): OmsError => new OmsError('OMS_KAFKA_SEND_REJECTED', 'not all events were confirmed');

/** All that was fixed when the event was told first, and the replay's mark. */
function recordOf({ parts, replay }: Run, event: ToldEvent): ToldRecord {
  const { key, value, createdAt: timestamp, orderId: lane } = event;
  const topic = replay.options.to ?? parts.config.OMS_PREFIX + event.topic;
  return { topic, key, value, headers: { ...event.headers, [REPLAY_HEADER]: replay.replayId }, timestamp, lane, event };
}
