import { orUnavailable } from '../../../database/database.ts';
import type { Database } from '../../../database/database.ts';
import { readNotes, writeNotes } from '../../../database/replays/replay-notes.ts';
import type { ReplayNote } from '../../../database/replays/replay-notes.ts';
import { createLevelHandler } from '../../../ingest/stock/handler.ts';
import { decodeLevels } from '../../../orders/intake/levels.ts';
import type { IncomingLevel, RefusedLevel } from '../../../orders/intake/levels.ts';
import { knownPriceVersions } from '../../../orders/money/price-list.ts';
import { isNewer, knownLevelVersions } from '../../../orders/stock/stock-levels.ts';
import type { LEVEL_CLASSES } from '../classes.ts';
import { filtered } from '../classified.ts';
import type { Classified, Classifier, Judgement, NotingOptions } from '../classified.ts';
import { gateOffice, noteLetters, nothingDone } from '../gate.ts';
import type { Gate, GateOptions } from '../gate.ts';

type LevelClass = keyof typeof LEVEL_CLASSES;
type Judged = IncomingLevel & { is: LevelClass };
type VersionNote = ReplayNote<number>;

/**
 * Of stock levels: whether level or price has a newer version than the newest that is known, which is what their receiver
 * goes by. Records are judged one by one; of several newer ones that are taken in together only the newest is written.
 */
export function createLevelClassifier(options: NotingOptions): Classifier {
  const { codec, filter, notesOf, topic } = options;
  return {
    prepare: async (records) => {
      const taken = records.filter((record) => filter.takesRecord(record));
      const read = (await decodeLevels(codec, topic, taken)).filter((one) => filter.takes(subjectOf(one)));
      const levels = read.filter((one) => one.kind === 'level');
      const refused = read.filter((one) => one.kind === 'refused').map(poisonOf);
      return async () => {
        const { judged, notes } = await orUnavailable(judgeAll(options, levels));
        const found = new Map([...refused, ...judged.map(classified)].map((one) => [one.record.offset, one]));
        return {
          records: records.map((record) => found.get(record.offset) ?? filtered(record)),
          keep: (tx) => writeNotes(tx, notesOf, notes),
        } satisfies Judgement;
      };
    },
  };
}

async function judgeAll(
  { db, notesOf }: NotingOptions,
  levels: readonly IncomingLevel[],
): Promise<{ judged: Judged[]; notes: VersionNote[] }> {
  const newest = await knownVersions(db, levels);
  const skus = levels.map(({ level }) => level.sku);
  const drafts = await readNotes<number>(db, notesOf, skus);
  for (const { subject, name, value } of drafts) newest.set(keyOf(subject, name), value);
  const notes: VersionNote[] = [];
  const judged = levels.map((one): Judged => {
    const versions = namesOf(one).map((name) => ({ name, known: newest.get(keyOf(one.level.sku, name)) }));
    const news = versions.filter(({ known }) => isNewer(one.level.version, known));
    for (const { name } of news) {
      newest.set(keyOf(one.level.sku, name), one.level.version);
      notes.push({ subject: one.level.sku, name, value: one.level.version });
    }
    if (news.length > 0) return { ...one, is: 'new' };
    return { ...one, is: versions[0]?.known === one.level.version ? 'known' : 'superseded' };
  });
  return { judged, notes };
}

async function knownVersions(db: Database, levels: readonly IncomingLevel[]): Promise<Map<string, number>> {
  const prices = levels.flatMap(({ price }) => price ?? []);
  const ofLevels = await knownLevelVersions(
    db,
    levels.map(({ level }) => level),
  );
  const ofPrices = await knownPriceVersions(db, prices);
  const known = [
    ...levels.map(({ level }, i) => [keyOf(level.sku, levelName(level)), ofLevels[i]] as const),
    ...prices.map((price, i) => [keyOf(price.sku, priceName(price)), ofPrices[i]] as const),
  ];
  return new Map(
    known.flatMap(([key, version]) => (version === null || version === undefined ? [] : [[key, version]])),
  );
}

/** Levels and prices have versions apart: a level can be known and bring a price that is not. */
const namesOf = ({ level, price }: IncomingLevel): string[] => [levelName(level), ...(price ? [priceName(price)] : [])];
const levelName = ({ warehouse }: { warehouse: string }): string => JSON.stringify([warehouse]);
const priceName = ({ warehouse, currency }: { warehouse: string; currency: string }): string =>
  JSON.stringify([warehouse, currency]);
const keyOf = (sku: string, name: string): string => `${sku}\n${name}`;

function subjectOf(one: IncomingLevel | RefusedLevel) {
  const key = one.kind === 'level' ? one.level.sku : (one.record.key?.toString() ?? null);
  return { key, orderId: null, type: null };
}

const poisonOf = ({ record, error }: RefusedLevel): Classified => ({
  ...{ record, is: 'poison', orderId: null, eventId: null, error },
});

/** A level belongs to no order and has no event id: SKU and version tell which it is. */
const classified = ({ record, level, is }: Judged): Classified => ({
  ...{ record, is, orderId: null, eventId: `${level.sku} in ${level.warehouse}, version ${level.version}` },
  error: undefined,
});

/** The gate of the topic `stock-levels`: that of its consumer. */
export function createLevelGate(options: GateOptions): Gate {
  const { parts, onStep } = options;
  const { db, codec, connection } = parts;
  let now = nothingDone();
  const handle = createLevelHandler({
    ...{ db, codec, logger: connection.logger },
    office: gateOffice(options),
    metrics: {
      level: () => undefined,
      pricesChanged: () => undefined,
      deadLetters: (letters) => noteLetters(now, letters),
    },
  });
  return {
    // One that was overtaken by a newer one taken in with it counts as well: it was news where it stood.
    effectOf: (_outcome, is) => (is === 'new' ? 'takenIn' : undefined),
    take: async (records, done, signal) => {
      const [first] = records;
      if (!first) return;
      now = done;
      const finished = (offset: bigint): void => void done.outcomes.set(offset, 'finished');
      await handle({ topic: first.topic, partition: first.partition, records, finished, signal });
      await onStep('finished');
    },
  };
}
