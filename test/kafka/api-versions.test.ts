import { createRequire } from 'node:module';
import { describe, expect, it } from '@jest/globals';
import { KAFKAJS_VERSIONS, versionsApart, versionsAtTheFloor } from '../../kafka/admin/api-versions.ts';

/** kafkajs' own tables; it calls FindCoordinator by its older name. */
const load = createRequire(import.meta.url);
const { requests } = load('kafkajs/src/protocol/requests') as { requests: Record<string, { versions: number[] }> };
const keys = load('kafkajs/src/protocol/requests/apiKeys') as Record<string, number>;
const inKafkajs = (name: string): string => (name === 'FindCoordinator' ? 'GroupCoordinator' : name);

const broker = (change: Record<number, { min: number; max: number }> = {}) =>
  new Map(Object.values(KAFKAJS_VERSIONS).map(({ apiKey, min, max }) => [apiKey, change[apiKey] ?? { min, max }]));

describe('versions of requests', () => {
  it.each(Object.entries(KAFKAJS_VERSIONS))('of %s are those of the kafkajs that is installed', (name, known) => {
    const versions = requests[inKafkajs(name)]?.versions.map(Number) ?? [];
    expect(known).toEqual({
      apiKey: keys[inKafkajs(name)],
      min: Math.min(...versions),
      max: Math.max(...versions),
    });
  });

  it('are named where a broker has dropped what kafkajs speaks, or does not have it yet', () => {
    expect(versionsApart(broker())).toEqual([]);
    const found = versionsApart(broker({ 0: { min: 8, max: 13 }, 9: { min: 0, max: 0 } }));
    expect(found).toEqual([
      'Produce (the broker has 8-13, kafkajs 0-7)',
      'OffsetFetch (the broker has 0-0, kafkajs 1-4)',
    ]);
    const without = broker();
    without.delete(42);
    expect(versionsApart(without)).toEqual(['DeleteGroups (the broker has none, kafkajs 0-1)']);
  });

  it('that the next broker may drop are told, too', () => {
    expect(versionsAtTheFloor(broker({ 20: { min: 1, max: 6 }, 0: { min: 0, max: 13 } }))).toEqual(['DeleteTopics']);
  });
});
