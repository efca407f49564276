import { hash } from 'node:crypto';
import { keepAnswer, readAnswer } from '../../database/http-requests.ts';
import type { Database } from '../../database/database.ts';
import { OmsError } from '../../domain/errors.ts';
import { postingTransaction } from './posting.ts';

/** What is answered to a request that changes something. */
export interface Answer {
  status: number;
  headers?: Record<string, string>;
  body?: unknown;
}

/** A request that may be sent again until it is answered. */
export interface OnceRequest {
  /** The Idempotency-Key; without one each request stands for itself. */
  key: string | undefined;
  /** What the key belongs to: method and route. Another route may use the same key. */
  scope: string;
  /** What is asked for: another content under the same key is refused. */
  content: unknown;
}

class AnsweredMeanwhile extends Error {}

/**
 * Does a piece of work once for each Idempotency-Key: the effect and its answer are one transaction, and a repeat gets that
 * answer. What fails leaves nothing behind, so it may be tried again under the same key.
 * @throws OmsError OMS_API_KEY_REUSED when the key was used with other content; whatever `work` throws
 */
export async function answerOnce(
  db: Database,
  { key, scope, content }: OnceRequest,
  work: (tx: Database) => Promise<Answer>,
): Promise<Answer & { replayed: boolean }> {
  if (key === undefined) return { ...(await postingTransaction(db, work)), replayed: false };
  const scoped = `${scope} ${key}`;
  const requestHash = hash('sha256', JSON.stringify(content), 'buffer');
  for (;;) {
    const kept = await readAnswer(db, scoped);
    if (kept && !kept.requestHash.equals(requestHash)) throw reused(key);
    if (kept) return { status: kept.status, headers: kept.headers, body: kept.body, replayed: true };
    try {
      const answer = await postingTransaction(db, async (tx) => {
        const { status, headers = {}, body } = await work(tx);
        if (!(await keepAnswer(tx, scoped, { requestHash, status, headers, body }))) throw new AnsweredMeanwhile();
        return { status, headers, body };
      });
      return { ...answer, replayed: false };
    } catch (error) {
      if (!(error instanceof AnsweredMeanwhile)) throw error;
    }
  }
}

function reused(key: string): OmsError {
  return new OmsError('OMS_API_KEY_REUSED', `Idempotency-Key ${JSON.stringify(key)} was used for another request`);
}
