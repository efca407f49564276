import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { sql } from 'kysely';
import { openDatabase } from '../../database/database.ts';
import type { Database } from '../../database/database.ts';
import { migrate } from '../../database/migrate.ts';
import { freePorts } from '../../local/ports.ts';
import { createPostgres, databaseUrl } from '../../local/postgres.ts';
import { FUNCTIONS } from '../../orders/money/spend.ts';
import { waitFor } from './wait.ts';

/** A PostgreSQL of a test's own, which may be crashed, with a migrated database. */
export interface OwnPostgres {
  db: Database;
  url: string;
  /** Kills one of its processes: the server ends all others and recovers, as after any crash. Resolves when it is back. */
  crash(): Promise<void>;
  stop(): Promise<void>;
}

export async function startOwnPostgres(): Promise<OwnPostgres> {
  const dir = await mkdtemp(path.join(tmpdir(), 'oms-own-postgres-'));
  const [port = 0] = await freePorts(1);
  const component = createPostgres({ dir, port, ephemeral: true });
  const { file, args, user } = await component.prepare(() => undefined);
  const server = spawn(file, args, { ...user, cwd: dir, stdio: 'ignore' });
  const gone = once(server, 'exit');
  process.once('exit', () => server.kill('SIGKILL'));
  const answers = (): Promise<boolean> =>
    component.probe().then(
      () => true,
      () => false,
    );
  await waitFor('PostgreSQL', answers);
  const url = databaseUrl(port);
  const db = openDatabase({ url, poolSize: 4, applicationName: 'oms-test' });
  await migrate(db, FUNCTIONS);
  return {
    db,
    url,
    crash: async () => {
      await db.connection().execute(async (own) => {
        const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(own);
        process.kill(rows[0]?.pid ?? 0, 'SIGKILL');
        await waitFor('the connection to end', () =>
          sql`select 1`.execute(own).then(
            () => false,
            () => true,
          ),
        );
      });
      await waitFor('PostgreSQL to be back', answers);
    },
    stop: async () => {
      await db.destroy();
      server.kill('SIGINT');
      await gone;
      await rm(dir, { recursive: true, force: true });
    },
  };
}
