import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { transaction } from '../../../database/database.ts';
import type { Database } from '../../../database/database.ts';
import { intendDeadLetters, markDeadLettersSent, unsentDeadLetters } from '../../../database/dead-letters.ts';
import type { DeadLetter } from '../../../database/dead-letters.ts';
import { beginDecision, endDecision } from '../../../database/decisions.ts';
import { ensureDeploymentId } from '../../../database/deployment/deployment.ts';
import { clearLeftovers, withReplayLock } from '../../../database/replays/replay-lock.ts';
import { readNotes, writeNotes } from '../../../database/replays/replay-notes.ts';
import { readParts, saveProgress } from '../../../database/replays/replay-parts.ts';
import { insertReplay, moveReplay, readActions, readReplay } from '../../../database/replays/replays.ts';
import { CLIENTS, atOnce, createClientsDatabase, turned } from '../../helpers/clients.ts';

let db: Database;
let drop: () => Promise<void>;
beforeAll(async () => {
  ({ db, drop } = await createClientsDatabase());
});
afterAll(() => drop());

const letter = (id: string): DeadLetter => ({
  ...{ id, code: 'OMS_INGEST_FIELD_INVALID', message: 'test', fault: null, orderId: null, source: null },
  record: { topic: 'orders', partition: 0, offset: 0, time: 1, key: null, value: null, headers: {} },
});

describe('Dead letters that many clients find at once', () => {
  it('are written down once, and each client has them sent until one was acknowledged', async () => {
    const letters = Array.from({ length: 40 }, (_, i) => letter(`letter-${i}`));
    const ids = letters.map(({ id }) => id);

    const open = await atOnce(db, (client, n) => intendDeadLetters(client, turned(letters, n)));

    for (const unsent of open) expect([...unsent].sort()).toEqual([...ids].sort());
    const sentAt = async (client: Database) => {
      const rows = await client.selectFrom('dead_letters').select(['id', 'sent_at']).orderBy('id').execute();
      return JSON.stringify(rows);
    };
    const times = await atOnce(db, async (client, n) => {
      await markDeadLettersSent(client, turned(ids, n));
      return sentAt(client);
    });
    // The first acknowledgement counts, whoever brings a later one.
    expect(new Set([...times, await sentAt(db)]).size).toBe(1);
    expect(await unsentDeadLetters(db, -60_000, 100)).toEqual([]);
  });
});

describe('A decision that many operators take at once', () => {
  it('is the first one’s, and so is its outcome', async () => {
    const retry = { kind: 'deadLetter', subject: 'one', action: 'retry' } as const;
    const begun = await atOnce(db, (client, n) => beginDecision(client, { who: `operator-${n}`, why: 'test' }, retry));

    const [first] = begun;
    expect(first).toBeDefined();
    expect(begun).toEqual(begun.map(() => first));
    const read = (client: Database) => client.selectFrom('operator_decisions').selectAll().execute();
    const ended = await atOnce(db, async (client, n) => {
      await endDecision(client, first?.id ?? 0, { by: n });
      return read(client);
    });
    expect(await read(db)).toHaveLength(1);
    expect(ended).toEqual(ended.map(() => ended[0]));
  });
});

describe('A replay that many clients want to run at once', () => {
  const options = {
    ...{ from: 'orders', fromTime: null, toTime: null, orderIds: null, types: null, topics: null, to: null },
    ...{ rate: 0, maxBacklog: 0, maxLag: 0, allowStale: false },
  };
  const plan = (replayId: string): Promise<void> =>
    transaction(db, (tx) =>
      insertReplay(tx, {
        ...{ replayId, mode: 'start-missing' as const, options, requestedBy: 'test', reason: 'test' },
        ranges: [{ partition: 0, from: 0, end: 1_000 }],
      }),
    );

  it('is held by one of them, and by the next when that one lets go', async () => {
    let refused = 0;
    const allOthers = Promise.withResolvers<void>();
    const hold = async (client: Database, n: number): Promise<number | undefined> => {
      // The lock is taken on a connection of its own, which is this client's.
      const held = await withReplayLock(client, 'held', async () => {
        await allOthers.promise;
        return n;
      });
      if (!held && ++refused === CLIENTS - 1) allOthers.resolve();
      return held?.result;
    };

    expect((await atOnce(db, hold)).filter((n) => n !== undefined)).toHaveLength(1);

    expect(await withReplayLock(db, 'held', () => Promise.resolve('next'))).toEqual({ result: 'next' });
  });

  it('is ended when it was still planned and its process is gone, and only then', async () => {
    await Promise.all([plan('killed'), plan('at-work')]);
    const note = { subject: 'order-1', name: 'seen', value: {} };
    for (const id of ['killed', 'at-work']) await writeNotes(db, id, [note]);

    await withReplayLock(db, 'at-work', () => Promise.all(['next', 'next'].map((by) => clearLeftovers(db, by))));

    expect(await readReplay(db, 'at-work')).toMatchObject({ state: 'planning' });
    expect(await readReplay(db, 'killed')).toMatchObject({ state: 'aborted' });
    expect(await readActions(db, 'killed')).toMatchObject([{ action: 'aborted', doneBy: 'next' }]);
    expect(await readNotes(db, 'at-work', ['order-1'])).toHaveLength(1);
    expect(await readNotes(db, 'killed', ['order-1'])).toEqual([]);
  });

  it('moves on once, and a partition’s progress from where it stood', async () => {
    await plan('moved');

    const moved = await atOnce(db, (client) => moveReplay(client, 'moved', ['planning'], 'running'));
    const [part] = await readParts(db, 'moved');
    if (!part) throw new Error('a replay without a partition');
    const saved = await atOnce(db, (client, n) => saveProgress(client, 'moved', { ...part, next: n + 1 }, 0));

    expect(moved.filter(Boolean)).toHaveLength(1);
    expect(saved.filter(Boolean)).toHaveLength(1);
    expect(await readParts(db, 'moved')).toMatchObject([{ next: saved.indexOf(true) + 1 }]);
  });
});

describe('A deployment that many set up at once', () => {
  it('gets one id', async () => {
    expect(new Set(await atOnce(db, ensureDeploymentId)).size).toBe(1);
  });
});
