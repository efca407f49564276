import { describe, expect, it } from '@jest/globals';
import { assertDeployment, assertSameDeployment } from '../../database/deployment/deployment.ts';
import type { DeploymentMarks } from '../../database/deployment/deployment.ts';
import { copiesFaults } from '../../kafka/admin/topics-there.ts';
import { INPUT_TOPICS, TOPICS } from '../../kafka/topics.ts';
import { aclLines } from '../../operations/setup/acls.ts';
import { configDrift } from '../../operations/setup/topics.ts';

const outcomes = (wanted: Record<string, string>, actual: Record<string, string>) =>
  configDrift(wanted, actual).map(({ outcome }) => outcome);

describe('a topic setting that differs', () => {
  it('is raised when it keeps less than it should', () => {
    expect(outcomes({ 'retention.ms': '1000' }, { 'retention.ms': '999' })).toEqual(['mended']);
    expect(outcomes({ 'retention.ms': '-1' }, { 'retention.ms': '604800000' })).toEqual(['mended']);
    expect(outcomes({ 'max.message.bytes': '2097152' }, { 'max.message.bytes': '1048588' })).toEqual(['mended']);
  });

  it('is left alone when it keeps more', () => {
    expect(outcomes({ 'retention.ms': '1000' }, { 'retention.ms': '-1' })).toEqual(['kept']);
    expect(outcomes({ 'retention.ms': '1000' }, { 'retention.ms': '1001' })).toEqual(['kept']);
  });

  it('is drift when it is another way of cleaning up: mending it could delete records', () => {
    expect(outcomes({ 'cleanup.policy': 'delete' }, { 'cleanup.policy': 'compact' })).toEqual(['drift']);
    expect(outcomes({ 'cleanup.policy': 'compact' }, { 'cleanup.policy': 'compact,delete' })).toEqual(['drift']);
  });

  it('is none when it is the same, or nothing of ours', () => {
    expect(outcomes({ 'retention.ms': '1000' }, { 'retention.ms': '1000', 'segment.ms': '5' })).toEqual([]);
  });
});

describe('the deployment id', () => {
  const A = 'aaaaaaaa';
  const B = 'bbbbbbbb';
  const accepted = (marks: DeploymentMarks, check = assertSameDeployment): boolean => {
    try {
      check(marks);
      return true;
    } catch (error) {
      expect(error).toMatchObject({ code: 'OMS_DEPLOYMENT_MISMATCH' });
      return false;
    }
  };

  it.each<[string, DeploymentMarks, boolean, boolean]>([
    ['nothing is marked yet', { database: undefined, 'Kafka topic': undefined }, true, false],
    ['all carry the same', { database: A, 'Kafka topic': A, 'Temporal namespace': A }, true, true],
    ['a place is new', { database: A, 'Kafka topic': undefined, 'Temporal namespace': A }, true, false],
    ['the database is new, the topic is not', { database: undefined, 'Kafka topic': A }, false, false],
    ['the database is new, the namespace is not', { database: undefined, 'Temporal namespace': A }, false, false],
    ['the topic is of another', { database: A, 'Kafka topic': B }, false, false],
    ['the namespace is of another', { database: A, 'Kafka topic': A, 'Temporal namespace': B }, false, false],
    ['the state directory is of another', { database: A, 'Kafka topic': A, 'state directory': B }, false, false],
  ])('where %s: set-up and roles know what to do', (_what, marks, setupGoesOn, roleStarts) => {
    expect(accepted(marks)).toBe(setupGoesOn);
    expect(accepted(marks, assertDeployment)).toBe(roleStarts);
  });

  it('names the places and the remedy in its refusal', () => {
    expect(() => assertSameDeployment({ database: A, 'Kafka topic': B })).toThrow(
      /database: aaaaaaaa, Kafka topic: bbbbbbbb.*KAFKA_BROKERS.*--adopt/s,
    );
    expect(() => assertDeployment({ database: A, 'Kafka topic': undefined })).toThrow('run `./oms setup`');
  });
});

describe('the least a role needs on Kafka', () => {
  const lines = new Map(aclLines('p.').map(({ role, lines: own }) => [role, own.join('\n')]));

  it('is nothing but its own topics and groups, all behind the prefix', () => {
    const names = [...[...lines.values()].join('\n').matchAll(/--(?:topic|group) '([^']+)'/g)].map(
      ([, name = '']) => name,
    );
    expect(names.every((name) => name.startsWith('p.'))).toBe(true);
    expect([...lines.values()].join('\n')).not.toMatch(/operation (All|Alter) |'\*'/);
  });

  it('lets nobody make topics but operators those of replays', () => {
    const creating = [...lines.values()].flatMap((own) => own.split('\n')).filter((line) => line.includes('Create'));
    expect(creating).toEqual([
      expect.stringMatching(/User:oms-operator .*--resource-pattern-type prefixed --topic 'p\.oms-replay-'$/),
    ]);
  });

  it('lets ingest read every topic that comes in, in a group for each', () => {
    for (const { kind } of TOPICS.filter(({ direction }) => direction === 'in')) {
      const read = `--operation Read --operation Describe --topic 'p.${kind}'`;
      expect(lines.get('ingest')).toContain(read);
    }
    for (const group of ['ingest', 'carrier', 'stock'])
      expect(lines.get('ingest')).toContain(`--group 'p.oms-${group}'`);
  });

  it('lets the api tell the lag of each group, and ingest judge how long topics keep orders', () => {
    for (const group of ['ingest', 'carrier', 'stock'])
      expect(lines.get('api')).toContain(`--operation Describe --group 'p.oms-${group}'`);
    for (const kind of ['orders', 'carrier-updates', 'stock-levels'])
      expect(lines.get('api')).toMatch(new RegExp(`--operation Describe --topic 'p.${kind}'`));
    for (const kind of ['orders', 'orders.dlq'])
      expect(lines.get('ingest')).toContain(`--operation DescribeConfigs --topic 'p.${kind}'`);
  });

  it('lets every role, and the doctor, compare what was told and taken last with what the database knows', () => {
    expect([...lines.keys()]).toEqual(['ingest', 'worker', 'publisher', 'api', 'operator']);
    for (const own of lines.values()) {
      for (const kind of ['orders', 'shipments', 'invoices', 'deliveries', 'order-status', 'oms-deployment'])
        expect(own).toContain(`--operation Read --operation Describe --topic 'p.${kind}'`);
      expect(own).toMatch(/--operation Describe --group 'p.oms-ingest'/);
    }
  });

  it('lets only the publisher write what is published, it and the api the topics we read, and only ingest dead letters', () => {
    const posted: string[] = ['orders', 'carrier-updates'];
    const redriven: readonly string[] = INPUT_TOPICS;
    for (const { kind, direction } of TOPICS) {
      const writers = [...lines].filter(
        ([role, own]) =>
          role !== 'operator' && own.includes(`--operation Write --operation Describe --topic 'p.${kind}'`),
      );
      const isSent = direction === 'out' || posted.includes(kind);
      const expected =
        kind === 'orders.dlq'
          ? ['ingest']
          : [...(isSent ? ['publisher'] : []), ...(redriven.includes(kind) ? ['api'] : [])];
      expect(writers.map(([role]) => role)).toEqual(expected);
    }
  });
});

describe('a topic on three brokers', () => {
  const partitions = (...copies: number[]) =>
    copies.map((count, partitionId) => ({ partitionId, replicas: Array.from({ length: count }, (_, i) => i) }));
  const faults = (copies: number[], minInsync: string, wanted = 3) =>
    copiesFaults('orders', partitions(...copies), { 'min.insync.replicas': minInsync }, wanted).map(
      ({ detail }) => detail,
    );

  it('that was made while a broker was away has too few copies, and which, is told', () => {
    expect(faults([3, 2, 2], '2')).toEqual([expect.stringContaining('partitions 1, 2 have 2 of 3 copies')]);
  });

  it('is told to take a record as kept that one broker has', () => {
    expect(faults([3, 3], '1')).toEqual([expect.stringContaining('min.insync.replicas is 1 instead of 2')]);
  });

  it('has what it should, or more, or what is set', () => {
    expect([...faults([3, 3], '2'), ...faults([4, 3], '3'), ...faults([1], '1', 1), ...faults([2], '1', 2)]).toEqual(
      [],
    );
  });
});
