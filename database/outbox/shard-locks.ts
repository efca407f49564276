import pg from 'pg';
import type { Logger } from '../../platform/logger.ts';
import { databaseError } from '../database.ts';
import { OUTBOX_CHANNEL, OUTBOX_SHARDS } from './outbox.ts';

/** First half of our advisory locks' names, `oms` in ASCII; the second half is the shard, or this for "a publisher is here". */
const LOCK_SPACE = 0x6f6d73;
const PRESENCE = 1_000_000;

export interface ShardLocksOptions {
  url: string;
  /** The outbox announced that there is something to send. */
  onWake: () => void;
  /** The session is gone, and all locks with it: stop sending at once. Called once. */
  onLost: (error: unknown) => void;
}

/** The shards this process may send, held by the session of one connection: when that ends, they are free. */
export interface ShardLocks {
  /** Shards held now; empty once the session is lost. */
  shards(): readonly number[];
  /**
   * Takes free shards or gives some up, so that all publishers present have about as many. Only call it while nothing is
   * being sent.
   * @throws OmsError OMS_DATABASE_UNAVAILABLE; the session is lost then
   */
  balance(): Promise<void>;
  /** Gives all locks up. */
  close(): Promise<void>;
}

/** A statement that takes longer means that the server is gone without a word. */
const STATEMENT_LIMIT_MS = 10_000;

/** @throws OmsError OMS_DATABASE_UNAVAILABLE */
export async function openShardLocks(options: ShardLocksOptions): Promise<ShardLocks> {
  const client = new pg.Client({
    connectionString: options.url,
    application_name: 'oms-publisher-locks',
    keepAlive: true,
    query_timeout: STATEMENT_LIMIT_MS,
    connectionTimeoutMillis: STATEMENT_LIMIT_MS,
  });
  const held = new Set<number>();
  let open = true;
  const lost = (error: unknown): void => {
    if (!open) return;
    open = false;
    held.clear();
    void client.end().catch(() => undefined);
    options.onLost(error);
  };
  client.on('error', lost);
  client.on('end', () => lost(new Error('the connection that holds the shard locks ended')));
  client.on('notification', options.onWake);
  await start(client).catch((error: unknown) => {
    open = false;
    void client.end().catch(() => undefined);
    throw databaseError(error);
  });

  const balance = async (): Promise<void> => {
    const share = Math.ceil(OUTBOX_SHARDS / (await countPublishers(client)));
    const surplus = [...held].slice(share);
    for (const shard of surplus) held.delete(shard);
    if (surplus.length > 0) await unlock(client, surplus);
    if (held.size < share) for (const shard of await tryLock(client, share - held.size)) held.add(shard);
  };
  return {
    shards: () => [...held],
    balance: async () => {
      try {
        await balance();
      } catch (error) {
        lost(error);
        throw databaseError(error);
      }
    },
    close: async () => {
      open = false;
      held.clear();
      await client.end().catch(() => undefined);
    },
  };
}

async function start(client: pg.Client): Promise<void> {
  await client.connect();
  // A publisher whose machine vanishes must not keep its locks for the two hours of the system's defaults.
  await client.query('set tcp_keepalives_idle = 10; set tcp_keepalives_interval = 5; set tcp_keepalives_count = 3');
  await client.query('select pg_advisory_lock_shared($1, $2)', [LOCK_SPACE, PRESENCE]);
  await client.query(`listen ${OUTBOX_CHANNEL}`);
}

/** Our locks as the server shows them: who holds what. */
const LOCKS_OF_SPACE = `from pg_locks where locktype = 'advisory' and granted and classid = $1::oid and objsubid = 2
  and database = (select oid from pg_database where datname = current_database())`;

async function countPublishers(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ count: number }>(
    `select count(*)::int as count ${LOCKS_OF_SPACE} and objid = $2::oid`,
    [LOCK_SPACE, PRESENCE],
  );
  return Math.max(1, rows[0]?.count ?? 1);
}

/** Locks free shards, at most `wanted`; returns those it got. */
async function tryLock(client: pg.Client, wanted: number): Promise<number[]> {
  const { rows } = await client.query<{ shard: number; got: boolean }>(
    `select shard, pg_try_advisory_lock($1::int, shard) as got from (
      select shard from generate_series(0, $2::int - 1) as shard
      where shard not in (select objid::int ${LOCKS_OF_SPACE}) order by shard limit $3
    ) as free`,
    [LOCK_SPACE, OUTBOX_SHARDS, wanted],
  );
  return rows.filter(({ got }) => got).map(({ shard }) => shard);
}

async function unlock(client: pg.Client, shards: number[]): Promise<void> {
  await client.query('select pg_advisory_unlock($1::int, shard) from unnest($2::int[]) as shard', [LOCK_SPACE, shards]);
}

/** The publisher's hold on its shards, opened again whenever the session is lost. */
export interface LockSession {
  /**
   * The shards to send now. Opens a lost session, and balances about once a second; so only call it between sends.
   * @throws OmsError OMS_DATABASE_UNAVAILABLE
   */
  shards(): Promise<readonly number[]>;
  /** Shards held now. */
  held: () => number;
  /** Null while the session stands. */
  check: () => string | null;
  close(): Promise<void>;
}

/** How often shards are shared out anew: a dead publisher's shards go on after that. */
const BALANCE_MS = 1_000;

export function createLockSession(options: { url: string; onWake: () => void; logger: Logger }): LockSession {
  const { logger } = options;
  let locks: ShardLocks | undefined;
  let balanced = -Infinity;

  const open = async (): Promise<ShardLocks> => {
    const onLost = (error: unknown): void => {
      locks = undefined;
      logger.warn({ err: error }, 'outbox shards lost');
    };
    locks = await openShardLocks({ ...options, onLost });
    balanced = -Infinity;
    return locks;
  };
  return {
    shards: async () => {
      const session = locks ?? (await open());
      if (performance.now() - balanced < BALANCE_MS) return session.shards();
      const before = session.shards().length;
      await session.balance();
      balanced = performance.now();
      const shards = session.shards();
      if (shards.length !== before) logger.info({ before, shards: shards.length }, 'outbox shards shared out');
      return shards;
    },
    held: () => locks?.shards().length ?? 0,
    check: () => (locks ? null : 'no session holds the outbox shards'),
    close: async () => {
      await locks?.close();
      locks = undefined;
    },
  };
}
