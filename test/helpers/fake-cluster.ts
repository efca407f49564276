import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { listening } from './kafka-proxy.ts';
import { API, WireReader, WireWriter, createFrameCutter, parseBatch, parseRecords } from './kafka-wire.ts';

/** What reached a broker for one partition. */
export interface ProducedBatch {
  broker: number;
  topic: string;
  partition: number;
  producerId: bigint;
  values: string[];
}

/** `ok`, an error code to answer with (nothing is written), or no answer at all after writing. */
export type ProduceAnswer = 'ok' | number | 'silence';

export const ERROR = {
  UnknownTopic: 3,
  NotLeader: 6,
  MessageTooLarge: 10,
  NotAuthorized: 29,
  InvalidRecord: 87,
} as const;

/**
 * A cluster made of sockets: as many brokers as wanted, each answering the few requests a producer makes, with leaders
 * that move and answers that go wrong when the test says so. For what a single real broker cannot show.
 */
export interface FakeCluster {
  readonly brokers: string[];
  /** Values in the order they were written. */
  log(topic: string, partition: number): string[];
  /** All produce requests, partition by partition, in the order they came. */
  readonly produced: ProducedBatch[];
  moveLeader(topic: string, partition: number, broker: number): void;
  removeTopic(topic: string): void;
  /** The next batch of the partition is not written and answered as a success at this offset. */
  repeatOffset(topic: string, partition: number, offset: bigint): void;
  /** Decides how each batch is answered. */
  answer(decide: (batch: ProducedBatch) => ProduceAnswer): void;
  close(): Promise<void>;
}

interface State {
  ports: number[];
  leaders: Map<string, number[]>;
  logs: Map<string, string[]>;
  /** Batches by producer and sequence: a repeat is answered with the first offset, as brokers do. */
  seen: Map<string, bigint>;
  produced: ProducedBatch[];
  decide: (batch: ProducedBatch) => ProduceAnswer;
  nextProducerId: bigint;
  /** By partition: the next answer that lies. */
  repeats: Map<string, bigint>;
}

/** `topics`: for each topic, the broker (from 0) that leads each partition. */
export async function startFakeCluster(options: {
  brokers: number;
  topics: Record<string, number[]>;
}): Promise<FakeCluster> {
  const state: State = {
    ports: [],
    leaders: new Map(Object.entries(options.topics).map(([topic, leaders]) => [topic, [...leaders]])),
    logs: new Map(),
    seen: new Map(),
    produced: [],
    decide: () => 'ok',
    nextProducerId: 1n,
    repeats: new Map(),
  };
  const sockets = new Set<Socket>();
  const servers = Array.from({ length: options.brokers }, (_, broker) => serve(broker, state, sockets));
  for (const server of servers) state.ports.push((await listening(server)).port);
  return {
    brokers: state.ports.map((port) => `127.0.0.1:${port}`),
    log: (topic, partition) => state.logs.get(`${topic}/${partition}`) ?? [],
    produced: state.produced,
    moveLeader: (topic, partition, broker) => void (state.leaders.get(topic) ?? []).splice(partition, 1, broker),
    removeTopic: (topic) => void state.leaders.delete(topic),
    repeatOffset: (topic, partition, offset) => void state.repeats.set(`${topic}/${partition}`, offset),
    answer: (decide) => void (state.decide = decide),
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
    },
  };
}

function serve(broker: number, state: State, sockets: Set<Socket>): Server {
  return createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => undefined);
    const onFrame = (frame: Buffer): void => {
      const request = new WireReader(frame);
      const apiKey = request.int16();
      request.int16();
      const correlationId = request.int32();
      request.string();
      const body = respond(broker, apiKey, request, state);
      if (body) socket.write(new WireWriter().int32(correlationId).raw(body).frame());
    };
    socket.on('data', createFrameCutter(onFrame));
  });
}

function respond(broker: number, apiKey: number, request: WireReader, state: State): Buffer | undefined {
  if (apiKey === API.ApiVersions) return apiVersions();
  if (apiKey === API.Metadata) return metadata(request, state);
  if (apiKey === API.InitProducerId) {
    return new WireWriter().int32(0).int16(0).int64(state.nextProducerId++).int16(0).body();
  }
  if (apiKey === API.Produce) return produce(broker, request, state);
  throw new Error(`the fake broker does not speak api ${apiKey}`);
}

/** Lowest and highest version answered, by api: kafkajs takes the highest both sides know. */
const VERSIONS = [
  [API.Produce, 3, 5],
  [API.Metadata, 5, 5],
  [API.ApiVersions, 0, 0],
  [API.InitProducerId, 0, 0],
] as const;

function apiVersions(): Buffer {
  const out = new WireWriter().int16(0);
  return out.array(VERSIONS, ([key, low, high]) => out.int16(key).int16(low).int16(high)).body();
}

function metadata(request: WireReader, state: State): Buffer {
  const asked = request.array(() => request.string() ?? '');
  const topics = asked.length > 0 ? asked : [...state.leaders.keys()];
  const out = new WireWriter().int32(0);
  out.array(state.ports, (port) => out.int32(state.ports.indexOf(port)).string('127.0.0.1').int32(port).string(null));
  out.string('fake').int32(0);
  out.array(topics, (topic) => {
    const leaders = state.leaders.get(topic);
    out
      .int16(leaders ? 0 : ERROR.UnknownTopic)
      .string(topic)
      .int8(0);
    out.array([...(leaders ?? []).entries()], ([partition, leader]) => {
      out.int16(0).int32(partition).int32(leader);
      for (const replicas of [[leader], [leader], []]) out.array(replicas, (one) => out.int32(one));
    });
  });
  return out.body();
}

function produce(broker: number, request: WireReader, state: State): Buffer | undefined {
  request.string();
  request.int16();
  request.int32();
  let isSilent = false;
  const topics = request.array(() => {
    const topic = request.string() ?? '';
    const partitions = request.array(() => {
      const partition = request.int32();
      const outcome = write(broker, topic, partition, request.bytes(request.int32()), state);
      isSilent ||= outcome === 'silence';
      return { partition, ...(outcome === 'silence' ? { code: 0, offset: -1n } : outcome) };
    });
    return { topic, partitions };
  });
  if (isSilent) return undefined;
  const out = new WireWriter();
  out.array(topics, ({ topic, partitions }) => {
    out.string(topic).array(partitions, ({ partition, code, offset }) => {
      out.int32(partition).int16(code).int64(offset).int64(-1n).int64(0n);
    });
  });
  return out.int32(0).body();
}

function write(
  broker: number,
  topic: string,
  partition: number,
  bytes: Buffer,
  state: State,
): { code: number; offset: bigint } | 'silence' {
  const { producerId, firstSequence, count, records } = parseBatch(bytes);
  const values = parseRecords(records, count).map(({ value }) => value ?? '');
  const batch = { broker, topic, partition, producerId, values };
  state.produced.push(batch);
  if (state.leaders.get(topic)?.[partition] !== broker) return { code: ERROR.NotLeader, offset: -1n };
  const repeated = state.repeats.get(`${topic}/${partition}`);
  state.repeats.delete(`${topic}/${partition}`);
  if (repeated !== undefined) return { code: 0, offset: repeated };
  const answer = state.decide(batch);
  if (typeof answer === 'number') return { code: answer, offset: -1n };
  const offset = append(state, batch, firstSequence);
  return answer === 'silence' ? 'silence' : { code: 0, offset };
}

function append(state: State, batch: ProducedBatch, firstSequence: number): bigint {
  const place = `${batch.topic}/${batch.partition}`;
  const identity = `${place}/${batch.producerId}/${firstSequence}`;
  const known = state.seen.get(identity);
  if (known !== undefined) return known;
  const log = state.logs.get(place) ?? [];
  state.logs.set(place, log);
  const offset = BigInt(log.length);
  log.push(...batch.values);
  state.seen.set(identity, offset);
  return offset;
}
