import { versionsAtTheFloor } from '../../kafka/admin/api-versions.ts';
import { fault, ok, warning } from './finding.ts';
import type { Verdict } from './finding.ts';
import type { Parts } from './parts.ts';

/** Check: the brokers answer, speak our versions, and let us in. */
export async function lookAtKafka(parts: Parts): Promise<Verdict[]> {
  const { probes, brokers } = await parts.kafka();
  const away = probes.flatMap((one) => ('error' in one ? [warning(one.error.code, one.error.message)] : []));
  const versions = probes.flatMap((one) => ('versions' in one ? [one.versions] : []));
  const floor = [...new Set(versions.flatMap(versionsAtTheFloor))];
  const margin = floor.length > 0 ? `; at the oldest version the brokers still take: ${floor.join(', ')}` : '';
  return [ok(`${brokers} broker${brokers === 1 ? '' : 's'}, every request in a version both speak${margin}`), ...away];
}

/** Each partition of a topic has a leader. */
export function leaderless(topic: string, partitions: { partitionId: number; leader: number }[]): Verdict[] {
  const without = partitions.filter(({ leader }) => leader < 0).map(({ partitionId }) => partitionId);
  if (without.length === 0) return [];
  const detail = `partitions ${without.join(', ')} have no leader: nothing is read from or written to them`;
  return [fault('OMS_KAFKA_UNAVAILABLE', detail, { about: `topic ${topic}` })];
}
