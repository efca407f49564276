import type { Database } from '../../database/database.ts';
import { createTestDatabase } from './database.ts';
import type { TestDatabase } from './database.ts';

/** Clients that a repository gets at once. */
export const CLIENTS = 16;

/** A database that has a connection for each of the clients, and one for whoever looks on. */
export const createClientsDatabase = (): Promise<TestDatabase> => createTestDatabase(CLIENTS + 1);

/** Runs `work` for each client on a connection of its own; all begin when the last of them is connected. */
export function atOnce<T>(db: Database, work: (client: Database, n: number) => Promise<T>): Promise<T[]> {
  const everybody = Promise.withResolvers<void>();
  let connected = 0;
  const clients = Array.from({ length: CLIENTS }, (_, n) =>
    db.connection().execute(async (client) => {
      if (++connected === CLIENTS) everybody.resolve();
      await everybody.promise;
      return work(client, n);
    }),
  );
  return Promise.all(clients);
}

/** The same things for each client in an order of its own, so that they meet on the way. */
export function turned<T>(things: readonly T[], n: number): T[] {
  const at = Math.floor((n * things.length) / CLIENTS);
  const turn = [...things.slice(at), ...things.slice(0, at)];
  return n % 2 ? turn.reverse() : turn;
}
