import type { ISocketFactory } from 'kafkajs';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { createKafka } from '../client/client.ts';
import type { KafkaConnection } from '../client/client.ts';
import { askRaw } from './raw-request.ts';
import type { RawRequest } from './raw-request.ts';

const compactString = (text: string): Buffer => Buffer.concat([Buffer.from([text.length + 1]), Buffer.from(text)]);
const METADATA_LOG = '__cluster_metadata';

/**
 * DescribeQuorum: its answer carries the clock of the cluster's leading controller, which says of itself that it has
 * caught up just now. kafkajs does not know the request; Kafka has it since version 3.3.
 */
const describeQuorum: RawRequest<number | undefined> = {
  apiKey: 55,
  apiVersion: 1,
  isFlexible: true,
  // One topic, one partition, number 0, and the empty tags of each.
  body: Buffer.concat([Buffer.from([2]), compactString(METADATA_LOG), Buffer.from([2, 0, 0, 0, 0, 0, 0, 0])]),
  read: (answer) => {
    if (answer.int16() !== 0) return undefined;
    const times = answer.compactArray(() => {
      answer.compactString();
      const partitions = answer.compactArray(() => leaderTime(answer));
      answer.tags();
      return partitions;
    });
    return times.flat().find((time) => time !== undefined);
  },
};

function leaderTime(answer: Parameters<typeof describeQuorum.read>[0]): number | undefined {
  answer.int32(); // partition
  answer.int16(); // error
  const leader = answer.int32();
  answer.int32(); // epoch
  answer.int64(); // high watermark
  const replica = (): { id: number; caughtUpAt: number } => {
    const id = answer.int32();
    answer.int64(); // log end
    answer.int64(); // last fetch
    const caughtUpAt = Number(answer.int64());
    answer.tags();
    return { id, caughtUpAt };
  };
  const voters = answer.compactArray(replica);
  answer.compactArray(replica); // observers
  answer.tags();
  return voters.find(({ id, caughtUpAt }) => id === leader && caughtUpAt > 0)?.caughtUpAt;
}

/** A clock as read from here. All in ms since the epoch. */
export interface ClockReading {
  /** By the other's clock. */
  at: number;
  /** By ours: before it was asked, and after it had answered. Its time was read in between. */
  asked: number;
  answered: number;
}

/**
 * The time at the cluster. Undefined where it cannot be told: before Kafka 3.3, or without the right to describe the
 * cluster.
 * @throws what kafkajs throws when the cluster cannot be reached
 */
export async function readBrokerClock(connection: KafkaConnection): Promise<ClockReading | undefined> {
  const sockets: Socket[] = [];
  // A connection that kafkajs has opened and logged in on.
  const socketFactory: ISocketFactory = ({ host, port, ssl, onConnect }) => {
    const socket = ssl ? connectTls({ host, port, ...ssl }, onConnect) : connect({ host, port }, onConnect);
    sockets.push(socket);
    return socket;
  };
  const admin = createKafka({ ...connection, socketFactory }).admin();
  await admin.connect();
  try {
    await admin.describeCluster();
    const socket = sockets.find(({ readyState }) => readyState === 'open');
    const asked = Date.now();
    const at = socket && (await askRaw(socket, describeQuorum).catch(() => undefined));
    return at === undefined ? undefined : { at, asked, answered: Date.now() };
  } finally {
    await admin.disconnect();
  }
}
