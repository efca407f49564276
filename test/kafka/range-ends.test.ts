import { describe, expect, it } from '@jest/globals';
import type { Admin, Consumer } from 'kafkajs';
import { checkIdle, createQuietPartitions } from '../../kafka/reader/range-state.ts';
import type { Range, Session } from '../../kafka/reader/range-state.ts';

/** What two brokers would say of a topic of two partitions: a moment that no cluster can be held in. */
function cluster() {
  const leaders = [1, 1];
  let beforeAnswer = (): void => undefined;
  const admin = {
    describeCluster: () => Promise.resolve({ brokers: [1, 2].map((nodeId) => ({ nodeId, host: 'b', port: nodeId })) }),
    fetchTopicMetadata: () =>
      Promise.resolve({
        topics: [{ name: 't', partitions: leaders.map((leader, partitionId) => ({ partitionId, leader })) }],
      }),
    fetchTopicOffsets: () => {
      beforeAnswer();
      return Promise.resolve(leaders.map((_, partition) => ({ partition, low: '0', high: '100' })));
    },
  } as unknown as Admin;
  return { admin, leaders, onAsked: (work: () => void) => void (beforeAnswer = work) };
}

function reader() {
  const open = new Map<number, Range>([[0, { partition: 0, next: 10n, end: 100n }]]);
  const ends: string[] = [];
  const session: Session = {
    ...{
      open,
      quiet: createQuietPartitions(),
      inHand: 0,
      isOver: false,
      options: { topic: 't' } as Session['options'],
    },
    consumer: { pause: () => undefined } as unknown as Consumer,
    end: (how) => void ends.push(how),
    fail: (error) => void ends.push(String(error)),
  };
  /** Three long polls of a broker bring nothing. */
  const bringsNothing = (broker: number): void => {
    for (let n = 0; n < 3; n++)
      session.quiet.answered({ broker: `b:${broker}`, duration: 205, size: 120 }, open.keys());
  };
  return { session, ends, bringsNothing };
}

describe('a range from which nothing comes', () => {
  it('has ended when its leader says so and the log goes on to its end', async () => {
    const { admin } = cluster();
    const { session, ends, bringsNothing } = reader();
    await checkIdle(session, admin);
    expect(ends).toEqual([]);
    bringsNothing(1);
    await checkIdle(session, admin);
    expect(ends).toEqual(['read']);
  });

  it('has not ended when another broker leads it now than the one that had nothing', async () => {
    const { admin, leaders } = cluster();
    const { session, ends, bringsNothing } = reader();
    await checkIdle(session, admin);
    leaders[0] = 2;
    bringsNothing(1);
    await checkIdle(session, admin);
    expect([...session.open.keys()]).toEqual([0]);
    bringsNothing(2);
    await checkIdle(session, admin);
    expect(ends).toEqual(['read']);
  });

  it.each([
    ['something came', (session: Session) => session.quiet.heardOf(0)],
    ['something is in hand', (session: Session) => void session.inHand++],
    ['the reading was given up', (session: Session) => void (session.isOver = true)],
  ])('has not ended when %s while the cluster was asked', async (_, happens) => {
    const { admin, onAsked } = cluster();
    const { session, ends, bringsNothing } = reader();
    await checkIdle(session, admin);
    bringsNothing(1);
    onAsked(() => happens(session));
    await checkIdle(session, admin);
    expect([...session.open.keys()]).toEqual([0]);
    expect(ends).toEqual([]);
  });
});
