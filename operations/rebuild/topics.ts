import { randomUUID } from 'node:crypto';
import type { IsForeign } from '../../kafka/admin/deployment-mark.ts';
import type { Codec } from '../../kafka/codec/codec.ts';
import type { ConsumedRecord } from '../../kafka/consumer/consumer.ts';
import { readTopics } from '../../kafka/reader/read-topics.ts';
import { groupName, topicNames } from '../../kafka/topics.ts';
import type { TopicKind } from '../../kafka/topics.ts';
import type { Parts } from '../../resources/deployment.ts';

/** What rebuilding works with. */
export interface RebuildContext extends Parts {
  codec: Codec;
  /** Told by what the topics say whose they are. */
  isForeign: IsForeign;
  /** Told of records as they are read. */
  onRecords: (count: number) => void;
}

/** Hands over all that is on these topics now, batch by batch of one partition, each with its kind. */
export async function readAll(
  { config, kafka, admin, onRecords }: RebuildContext,
  kinds: readonly TopicKind[],
  take: (kind: TopicKind, records: readonly ConsumedRecord[]) => Promise<void>,
): Promise<void> {
  const prefix = config.OMS_PREFIX;
  const names = topicNames(prefix);
  const kindOf = new Map(kinds.map((kind) => [names[kind], kind]));
  await readTopics({
    ...{ kafka, admin, topics: [...kindOf.keys()], groupId: groupName(prefix, `rebuild-${randomUUID()}`) },
    fromBeginning: true,
    follow: false,
    onRecords: async (records) => {
      const kind = kindOf.get(records[0]?.topic ?? '');
      if (kind) await take(kind, records);
      onRecords(records.length);
      return true;
    },
  });
}
