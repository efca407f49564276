import { isDeepStrictEqual } from 'node:util';
import { transaction } from '../../database/database.ts';
import type { Database } from '../../database/database.ts';
import { lockDeadLetter, markDecided } from '../../database/dead-letters.ts';
import type { StoredDeadLetter } from '../../database/dead-letters.ts';
import { beginDecision, decisionsAbout, endDecision, recordDecision } from '../../database/decisions.ts';
import type { Operator, StoredDecision } from '../../database/decisions.ts';
import type { StoredRecord } from '../../database/ledger/records.ts';
import { OmsError } from '../../domain/errors.ts';
import type { Codec } from '../../kafka/codec/codec.ts';
import { DLQ_HEADERS } from '../../kafka/headers.ts';
import type { OutgoingRecord, Publisher } from '../../kafka/producer/publisher.ts';
import type { Replacement } from './replacement.ts';

export interface RedriveOptions {
  db: Database;
  publisher: Pick<Publisher, 'publish'>;
  /** Lets tests end it between two steps. */
  onStep?: (step: RedriveStep) => void | Promise<void>;
  /** What else is written down in the transaction that writes the outcome down. */
  onOutcome?: (tx: Database, outcome: Redriven) => Promise<void>;
}

/** What is done when each is reached: the decision is written down; its record is acknowledged; so is its outcome. */
export const REDRIVE_STEPS = ['intended', 'produced', 'recorded'] as const;
export type RedriveStep = (typeof REDRIVE_STEPS)[number];

export interface RedriveRequest extends Operator {
  /** Decide again about a letter that was decided about. @default false */
  again?: boolean;
}

/** What came of putting a record back on its topic. */
export type Redriven = { id: string; attempt: number; topic: string; resumed: boolean } & (
  | { outcome: 'produced'; partition: number; offset: string }
  /** The topic does not take it as it is: the letter stays open. */
  | { outcome: 'refused'; code: string; message: string }
);

/**
 * Puts the dead letter's record on its topic again, where it goes through the same gate as any other: its key, value and
 * headers as they came, and the number of the attempt. With `replacement`, key and value are that instead. The decision
 * stands in the database before the record is sent, and its outcome when the topic has acknowledged it; a call that was
 * cut off is ended by the next, which may send the record a second time. An edit that was cut off is ended as it was begun:
 * who comes with another replacement is told so.
 * @throws OmsError OMS_DLQ_UNKNOWN, OMS_DLQ_DECIDED, OMS_DLQ_DECISION_OPEN, or a retryable one: then call again
 */
export async function redriveLetter(
  options: RedriveOptions,
  id: string,
  by: RedriveRequest,
  replacement: Replacement | null = null,
): Promise<Redriven> {
  const { decision, resumed } = await transaction(options.db, (tx) => intend(tx, id, by, replacement));
  await options.onStep?.('intended');
  const isOther = !isDeepStrictEqual(decision.detail['replacement'], stored(replacement));
  const redriven = await transaction(options.db, async (tx) => {
    const outcome: Redriven = { ...(await carryOut({ ...options, db: tx }, id, decision)), resumed };
    if (!isOther) await options.onOutcome?.(tx, outcome);
    return outcome;
  });
  await options.onStep?.('recorded');
  if (isOther) throw otherEdit(id, decision, redriven);
  return redriven;
}

/** A replacement as the detail of a decision holds it. */
const stored = (replacement: Replacement | null) =>
  replacement ? { key: replacement.key, value: replacement.value.toString('base64') } : undefined;

function otherEdit(id: string, { who, at }: StoredDecision, { outcome }: Redriven): OmsError {
  const begun = `an edit by ${who} at ${at.toISOString()} with other content was begun and not ended`;
  return new OmsError('OMS_DLQ_DECIDED', `${id}: ${begun}; it is ended now (${outcome}), and yours was not sent`);
}

/**
 * Gives a dead letter up; it stays where it is.
 * @throws OmsError OMS_DLQ_UNKNOWN, OMS_DLQ_DECIDED, OMS_DLQ_DECISION_OPEN
 */
export function dropLetter(db: Database, id: string, by: RedriveRequest): Promise<void> {
  return transaction(db, (tx) => dropLetterIn(tx, id, by));
}

/** The same as part of the caller's transaction. */
export async function dropLetterIn(tx: Database, id: string, by: RedriveRequest): Promise<void> {
  await openLetter(tx, id, by);
  const open = (await decisionsAbout(tx, 'deadLetter', id)).find(({ doneAt }) => doneAt === null);
  if (open) throw decisionOpen(id, open);
  await recordDecision(tx, by, { kind: 'deadLetter', subject: id, action: 'drop' }, { dropped: true });
  await markDecided(tx, id, 'dropped');
}

/** Locked until the transaction ends: nobody else decides about it meanwhile. */
async function openLetter(tx: Database, id: string, { again = false }: RedriveRequest): Promise<StoredDeadLetter> {
  const letter = await lockDeadLetter(tx, id);
  if (!letter) throw new OmsError('OMS_DLQ_UNKNOWN', `there is no dead letter ${id}: \`oms dlq ls\` lists them`);
  if (letter.decision === null || again) return letter;
  const when = letter.decidedAt?.toISOString() ?? '';
  throw new OmsError('OMS_DLQ_DECIDED', `${id} was ${letter.decision} at ${when}; --again decides once more`);
}

async function intend(tx: Database, id: string, by: RedriveRequest, replacement: Replacement | null) {
  const letter = await openLetter(tx, id, by);
  const earlier = await decisionsAbout(tx, 'deadLetter', id);
  const action = replacement ? 'edit' : 'retry';
  const open = earlier.find(({ doneAt }) => doneAt === null);
  if (open && open.action !== action) throw decisionOpen(id, open);
  const sent = earlier.filter(({ action, doneAt }) => action !== 'drop' && doneAt !== null).length;
  const attempt = letter.attempt + sent + 1;
  const detail = { attempt, ...(replacement ? { replacement: stored(replacement) } : {}) };
  const decision = await beginDecision(tx, by, { kind: 'deadLetter', subject: id, action, detail });
  return { decision, resumed: open !== undefined };
}

function decisionOpen(id: string, { action, who, at }: StoredDecision): OmsError {
  const what = `${id} is being decided about: ${action} by ${who} at ${at.toISOString()}`;
  return new OmsError(
    'OMS_DLQ_DECISION_OPEN',
    `${what} was begun and not ended; repeat \`oms dlq ${action}\` to end it`,
  );
}

type Outcome = Omit<Extract<Redriven, { outcome: 'produced' }>, 'resumed'>;
type Result = Outcome | Omit<Extract<Redriven, { outcome: 'refused' }>, 'resumed'>;

/** Under the letter's lock: of two calls at the same time the second finds the outcome of the first. */
async function carryOut(
  options: RedriveOptions,
  id: string,
  { id: decisionId, action }: StoredDecision,
): Promise<Result> {
  const { db: tx, publisher } = options;
  const letter = await lockDeadLetter(tx, id);
  const decision = (await decisionsAbout(tx, 'deadLetter', id)).find((one) => one.id === decisionId);
  if (!letter || !decision) throw new OmsError('OMS_DLQ_UNKNOWN', `there is no dead letter ${id} any more`);
  if (decision.doneAt !== null) return decision.outcome as Result;
  const attempt = Number(decision.detail['attempt']);
  const record = redrivenRecord(letter, decision.detail);
  const { sent, held } = await publisher.publish([record]);
  const common = { id, attempt, topic: record.topic };
  if (held[0]?.error.retryable) throw held[0].error;
  await options.onStep?.('produced');
  const { code = '', message = '' } = held[0]?.error ?? {};
  const place = { partition: sent[0]?.partition ?? -1, offset: String(sent[0]?.offset ?? -1) };
  const result: Result = sent[0]
    ? { ...common, outcome: 'produced', ...place }
    : { ...common, outcome: 'refused', code, message };
  await endDecision(tx, decisionId, result);
  if (sent[0]) await markDecided(tx, id, action === 'edit' ? 'edited' : 'retried');
  return result;
}

/** What a refused record says, as far as it can be read: its value, or how its bytes begin. */
export type LetterContent = { value?: unknown; hex?: string };

const SHOWN_BYTES = 256;

/** Never throws: a record that cannot be read is shown as it is. */
export async function contentOf(codec: Codec, { topic, value }: StoredRecord): Promise<LetterContent> {
  const [decoded] = await codec.decodeBatch(topic, [value]).catch(() => []);
  if (decoded?.kind === 'event') return { value: decoded.value };
  return value ? { hex: value.subarray(0, SHOWN_BYTES).toString('hex') } : {};
}

/**
 * The record of a dead letter as it goes on its topic once more: as it came, with the number of this attempt and the
 * letter it was. Its time is that of now: it is read now, and must be kept as long as any other.
 */
function redrivenRecord({ id, record }: StoredDeadLetter, detail: Record<string, unknown>): OutgoingRecord {
  const replacement = detail['replacement'] as { key: string; value: string } | undefined;
  const headers = {
    ...record.headers,
    [DLQ_HEADERS.id]: id,
    [DLQ_HEADERS.attempt]: String(detail['attempt']),
  };
  return {
    topic: record.topic,
    key: replacement ? replacement.key : record.key,
    value: replacement ? Buffer.from(replacement.value, 'base64') : record.value,
    headers,
  };
}

/** @throws OmsError OMS_DLQ_UNKNOWN when none begins like this, OMS_CLI_USAGE when several do */
export async function findLetter(db: Database, id: string): Promise<StoredDeadLetter> {
  const { getDeadLetter } = await import('../../database/dead-letters.ts');
  const rows = await db
    .selectFrom('dead_letters')
    .select('id')
    .where((where) => where.fn('starts_with', ['id', where.val(id)]))
    .limit(2)
    .execute();
  if (rows.length > 1)
    throw new OmsError('OMS_CLI_USAGE', `several dead letters begin with ${id}: give more of the id`);
  const letter = rows[0] && (await getDeadLetter(db, rows[0].id));
  if (!letter) throw new OmsError('OMS_DLQ_UNKNOWN', `no dead letter begins with ${id}: \`oms dlq ls\` lists them`);
  return letter;
}
