import { openShardLocks } from '../database/outbox/shard-locks.ts';
import type { ShardLocks } from '../database/outbox/shard-locks.ts';
import type { Logger } from '../platform/logger.ts';

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
