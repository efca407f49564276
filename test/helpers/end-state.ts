import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { Client } from '@temporalio/client';
import type { TopicRecord } from '../../operations/topics/tail.ts';
import type { Deployment } from './deployment.ts';
import { waitFor } from './wait.ts';

export const OUTGOING = ['shipments', 'invoices', 'deliveries', 'order-status'] as const;
export type OutgoingKind = (typeof OUTGOING)[number];

/** An outgoing event as a reader finds it: decoded, with its record. */
export interface ReadEvent {
  eventId: string;
  orderId: string;
  version: number;
  sequence: number;
  record: TopicRecord;
  fields: Record<string, unknown>;
}

/** What a deployment has come to, in numbers that a second import must not change. */
export interface EffectCounts {
  workflows: number;
  orders: number;
  events: number;
  charges: number;
  invoices: number;
}

const LOOK_EVERY_MS = 500;
const END_DEADLINE_MS = 15 * 60_000;

/** Waits until ingest has read all, every order has come to its end, and every event is on its topic. */
export async function untilSettled(deployment: Deployment, orders: number, deadLetters: number): Promise<void> {
  await waitFor(
    `${orders} orders closed and ${deadLetters} dead letters sent`,
    async () => {
      await sleep(LOOK_EVERY_MS); // the roles under test need the machine
      const { rows } = await sql<{ closed: number; letters: number; unsent: number }>`
        select (select count(*) from ledger where state = 'closed') as closed,
          (select count(*) from dead_letters where sent_at is not null) as letters,
          (select count(*) from outbox where sent_at is null) as unsent
      `.execute(deployment.db);
      const [now] = rows;
      const there = now?.closed === orders && now.letters === deadLetters && now.unsent === 0;
      return there && (await deployment.lag()) === 0;
    },
    END_DEADLINE_MS,
  );
}

export async function effectCounts(deployment: Deployment): Promise<EffectCounts> {
  const { rows } = await sql<Omit<EffectCounts, 'workflows'>>`
    select (select count(*) from orders) as orders, (select count(*) from outbox) as events,
      (select count(*) from simulated_charges) as charges, (select count(*) from invoices) as invoices
  `.execute(deployment.db);
  if (!rows[0]) throw new Error('no counts');
  return { workflows: (await workflowIds(deployment)).length, ...rows[0] };
}

/** Ids of all workflow executions of the deployment's namespace, or of those a visibility query selects. */
export async function workflowIds({ temporal, config }: Deployment, query?: string): Promise<string[]> {
  const client = new Client({ connection: temporal, namespace: config.TEMPORAL_NAMESPACE });
  const ids: string[] = [];
  for await (const { workflowId } of client.workflow.list({ query })) ids.push(workflowId);
  return ids;
}

/** Every event of an outgoing topic. Fails when one does not decode with its registered schema. */
export async function eventsOf(deployment: Deployment, kind: OutgoingKind): Promise<ReadEvent[]> {
  const records = await deployment.records(kind);
  const values = records.map(({ value }) => value);
  const decoded = await deployment.codec.decodeBatch<Omit<ReadEvent, 'record' | 'fields'>>(
    deployment.topics[kind],
    values,
  );
  return records.map((record, i) => {
    const result = decoded[i];
    if (result?.kind !== 'event') throw new Error(`${kind} ${record.offset} does not decode: ${result?.error.message}`);
    const { eventId, orderId, version, sequence } = result.value;
    return { eventId, orderId, version, sequence, record, fields: result.value };
  });
}

/** The first occurrence of each event; fails when a repeat is not the same, byte for byte. */
export function withoutRepeats(events: readonly ReadEvent[]): ReadEvent[] {
  const first = new Map<string, ReadEvent>();
  for (const event of events) {
    const known = first.get(event.eventId);
    if (!known) first.set(event.eventId, event);
    else if (sameBytes(known.record, event.record) === false) throw new Error(`${event.eventId} was told in two ways`);
  }
  return [...first.values()];
}

function sameBytes(a: TopicRecord, b: TopicRecord): boolean {
  const same = a.value !== null && b.value !== null && a.value.equals(b.value);
  return same && a.partition === b.partition && JSON.stringify(a.headers) === JSON.stringify(b.headers);
}

/** What is wrong with the numbering of a topic's events, in topic order; empty when nothing is. */
export function numberingFaults(kind: string, events: readonly ReadEvent[]): string[] {
  const last = new Map<string, { sequence: number; version: number }>();
  return events.flatMap(({ orderId, eventId, sequence, version, record }) => {
    const before = last.get(orderId) ?? { sequence: 0, version: 0 };
    last.set(orderId, { sequence, version });
    return [
      ...(record.key?.toString() === orderId ? [] : [`${kind}: ${eventId} has another key`]),
      ...(sequence === before.sequence + 1 ? [] : [`${kind}: ${eventId} is ${sequence} after ${before.sequence}`]),
      ...(version > before.version ? [] : [`${kind}: ${eventId} has version ${version} after ${before.version}`]),
    ];
  });
}

/** Orders whose versions over all topics are not 1..n. */
export function versionGaps(events: readonly ReadEvent[]): string[] {
  const versions = Map.groupBy(events, ({ orderId }) => orderId);
  return [...versions].flatMap(([orderId, told]) => {
    const numbers = told.map(({ version }) => version).sort((a, b) => a - b);
    return numbers.every((version, i) => version === i + 1) ? [] : [`${orderId}: ${numbers.join(' ')}`];
  });
}
