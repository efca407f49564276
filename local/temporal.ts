import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { temporalBinary } from './downloads.ts';
import type { Command, Component } from './types.ts';

export interface TemporalOptions {
  dir: string;
  port: number;
  uiPort: number;
  /** A binary to use; empty: the one on the PATH, else one built once. */
  binary: string;
}

async function prepare(
  options: TemporalOptions,
  report: (detail: string) => void,
  signal?: AbortSignal,
): Promise<Command> {
  const file = await temporalBinary(options.binary, report, signal);
  await mkdir(options.dir, { recursive: true });
  const address = ['--ip', '127.0.0.1', '--port', String(options.port), '--ui-port', String(options.uiPort)];
  const storage = ['--db-filename', path.join(options.dir, 'temporal.db')];
  // A write-ahead log doubles the speed; a killed process loses nothing by `normal`, only a crashed machine might.
  const pragmas = ['--sqlite-pragma', 'journal_mode=wal', '--sqlite-pragma', 'synchronous=normal'];
  return { file, args: ['server', 'start-dev', ...address, ...storage, ...pragmas, '--log-level', 'warn'] };
}

/** Asks for the server's id over gRPC: answered once its services have found each other. */
async function probe(port: number): Promise<string> {
  const { Connection } = await import('@temporalio/client');
  const connection = await Connection.connect({ address: `127.0.0.1:${port}`, connectTimeout: 2_000 });
  try {
    const cluster = await connection.workflowService.getClusterInfo({});
    // The frontend answers before the `default` namespace is made: work needs that, too.
    await connection.workflowService.describeNamespace({ namespace: 'default' });
    return cluster.clusterId ?? '';
  } finally {
    await connection.close();
  }
}

/** Temporal's development server on a SQLite file under `dir`, with its web UI. */
export function createTemporal(options: TemporalOptions): Component {
  return {
    name: 'temporal',
    ports: [
      { port: options.port, setting: 'OMS_TEMPORAL_PORT' },
      { port: options.uiPort, setting: 'OMS_TEMPORAL_UI_PORT' },
    ],
    prepare: (report, signal) => prepare(options, report, signal),
    probe: () => probe(options.port),
    stopSignal: 'SIGTERM',
  };
}
