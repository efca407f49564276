import { Writable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { logLevel } from 'kafkajs';
import { createKafkaLog } from '../../kafka/client/client.ts';
import { createLogger } from '../../platform/logger.ts';

function logged(level: logLevel, message: string, facts: object = {}): unknown {
  const lines: string[] = [];
  const destination = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      lines.push(chunk.toString());
      done();
    },
  });
  const logger = createLogger({ role: 'test', level: 'debug', destination });
  const log = { message, timestamp: '', ...facts };
  createKafkaLog(logger)(logLevel.INFO)({ namespace: 'Connection', level, label: '', log });
  return JSON.parse(lines.join(''));
}

describe("kafkajs' log", () => {
  it('keeps real errors as errors, with a fixed phrase and the facts as data', () => {
    expect(logged(logLevel.ERROR, 'Offset out of range, resetting to default offset', { topic: 't' })).toMatchObject({
      level: 50,
      msg: 'kafkajs',
      detail: 'Offset out of range, resetting to default offset',
      topic: 't',
      namespace: 'Connection',
    });
  });

  it.each([
    ['Response FindCoordinator(key: 10, version: 2)', { error: 'The group coordinator is not available' }],
    ['Connection error: connect ECONNREFUSED 127.0.0.1:9092', {}],
    ['The group is rebalancing, re-joining', {}],
  ])('turns what is daily life into debug lines: %s', (message, facts) => {
    expect(logged(logLevel.ERROR, message, facts)).toMatchObject({ level: 20 });
  });
});
