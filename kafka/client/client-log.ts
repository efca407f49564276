import { logLevel } from 'kafkajs';
import type { LogEntry, logCreator } from 'kafkajs';
import type { Logger } from '../../platform/logger.ts';

/** kafkajs decides with this what it hands over at all; the rest is pino's level. */
export const KAFKAJS_LOG_LEVEL = logLevel.INFO;

/**
 * What kafkajs calls an error but is daily life: a fresh broker loading its coordinators, a rebalance, a request it
 * repeats by itself. What is really wrong reaches the log as an error of this folder, with a code.
 */
const EXPECTED =
  /coordinator|not the leader|leadership election|rebalanc|not aware of this member|connection (error|timeout)|closed connection|ECONN|failed to (connect|send messages)|timed out|does not host this topic|^Response /i;

type Level = 'error' | 'warn' | 'info' | 'debug';

function pinoLevel(entry: LogEntry): Level {
  if (entry.level === logLevel.ERROR) return isExpected(entry) ? 'debug' : 'error';
  if (entry.level === logLevel.WARN) return isExpected(entry) ? 'debug' : 'warn';
  // Joins, pauses, starts and stops of consumers: this folder logs its own, in its own words.
  return 'debug';
}

function isExpected(entry: LogEntry): boolean {
  const { message, error } = entry.log as { message: string; error?: unknown };
  return EXPECTED.test(message) || (typeof error === 'string' && EXPECTED.test(error));
}

/** Sends kafkajs' log lines to pino as `kafkajs` with the text and its facts as data. */
export function createKafkaLog(logger: Logger): logCreator {
  const log = logger.child({ component: 'kafkajs' });
  return () => (entry) => {
    const { message, timestamp: _timestamp, logger: _name, ...facts } = entry.log;
    log[pinoLevel(entry)]({ ...facts, namespace: entry.namespace, detail: message }, 'kafkajs');
  };
}
