import type { RawRequest } from './raw-request.ts';

/** Versions of one request. */
export interface VersionRange {
  min: number;
  max: number;
}

/** Each request this system makes of a broker, and the versions of it kafkajs 2.2.4 can speak. */
export const KAFKAJS_VERSIONS: Readonly<Record<string, VersionRange & { apiKey: number }>> = {
  Produce: { apiKey: 0, min: 0, max: 7 },
  Fetch: { apiKey: 1, min: 0, max: 11 },
  ListOffsets: { apiKey: 2, min: 0, max: 3 },
  Metadata: { apiKey: 3, min: 0, max: 6 },
  OffsetCommit: { apiKey: 8, min: 0, max: 5 },
  OffsetFetch: { apiKey: 9, min: 1, max: 4 },
  FindCoordinator: { apiKey: 10, min: 0, max: 2 },
  JoinGroup: { apiKey: 11, min: 0, max: 5 },
  Heartbeat: { apiKey: 12, min: 0, max: 3 },
  LeaveGroup: { apiKey: 13, min: 0, max: 3 },
  SyncGroup: { apiKey: 14, min: 0, max: 3 },
  DescribeGroups: { apiKey: 15, min: 0, max: 2 },
  ListGroups: { apiKey: 16, min: 0, max: 2 },
  SaslHandshake: { apiKey: 17, min: 0, max: 1 },
  ApiVersions: { apiKey: 18, min: 0, max: 2 },
  CreateTopics: { apiKey: 19, min: 0, max: 3 },
  DeleteTopics: { apiKey: 20, min: 0, max: 1 },
  InitProducerId: { apiKey: 22, min: 0, max: 1 },
  DescribeConfigs: { apiKey: 32, min: 0, max: 2 },
  AlterConfigs: { apiKey: 33, min: 0, max: 1 },
  SaslAuthenticate: { apiKey: 36, min: 0, max: 1 },
  CreatePartitions: { apiKey: 37, min: 0, max: 1 },
  DeleteGroups: { apiKey: 42, min: 0, max: 1 },
};

/** Which versions of each request, by its key, the broker can speak. Brokers answer it before anyone has logged in. */
export const apiVersionsRequest: RawRequest<Map<number, VersionRange>> = {
  apiKey: 18,
  apiVersion: 0,
  isFlexible: false,
  body: Buffer.alloc(0),
  read: (answer) => {
    const code = answer.int16();
    if (code !== 0) throw new Error(`ApiVersions was answered with error ${code}`);
    return new Map(answer.array(() => [answer.int16(), { min: answer.int16(), max: answer.int16() }] as const));
  },
};

/**
 * Requests that kafkajs and the broker have no version of in common, in words. kafkajs itself looks at the broker's
 * newest version only, and would fail with an error of the protocol.
 */
export function versionsApart(broker: ReadonlyMap<number, VersionRange>): string[] {
  return Object.entries(KAFKAJS_VERSIONS).flatMap(([name, { apiKey, min, max }]) => {
    const its = broker.get(apiKey);
    if (!its) return [`${name} (the broker has none, kafkajs ${min}-${max})`];
    return its.min <= max && its.max >= min
      ? []
      : [`${name} (the broker has ${its.min}-${its.max}, kafkajs ${min}-${max})`];
  });
}

/** Requests that the next release of the broker may leave kafkajs without: at the oldest version it still takes. */
export function versionsAtTheFloor(broker: ReadonlyMap<number, VersionRange>): string[] {
  return Object.entries(KAFKAJS_VERSIONS).flatMap(([name, { apiKey, max }]) => {
    const its = broker.get(apiKey);
    return its && its.min === max && its.min > 0 ? [name] : [];
  });
}
