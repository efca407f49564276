import { hash } from 'node:crypto';
import type { FastifyReply } from 'fastify';
import type { Database } from '../../database/database.ts';
import { keepAnswer, readAnswer } from '../../database/http-requests.ts';
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

/** Keeps an answer in the transaction of the effect it tells of. */
export type Keep = (tx: Database, answer: Answer) => Promise<void>;

/**
 * Does a piece of work once for each Idempotency-Key: the effect and its answer are one transaction, and a repeat gets that
 * answer. What fails leaves nothing behind, so it may be tried again under the same key.
 * @throws OmsError OMS_API_KEY_REUSED when the key was used with other content; whatever `work` throws
 */
export function answerOnce(
  db: Database,
  request: OnceRequest,
  work: (tx: Database) => Promise<Answer>,
): Promise<Answer & { replayed: boolean }> {
  return answerOnceIn(db, request, (keep) =>
    postingTransaction(db, async (tx) => {
      const answer = await work(tx);
      await keep(tx, answer);
      return answer;
    }),
  );
}

/**
 * The same for work that has its own transactions: it calls `keep` in the one that ends it, and a repeat of what was cut
 * off before that has to go on with it.
 */
export async function answerOnceIn(
  db: Database,
  { key, scope, content }: OnceRequest,
  run: (keep: Keep) => Promise<Answer>,
): Promise<Answer & { replayed: boolean }> {
  if (key === undefined) return { ...(await run(async () => undefined)), replayed: false };
  const scoped = `${scope} ${key}`;
  const requestHash = hash('sha256', JSON.stringify(content), 'buffer');
  const keep: Keep = async (tx, { status, headers = {}, body }) => {
    if (!(await keepAnswer(tx, scoped, { requestHash, status, headers, body }))) throw new AnsweredMeanwhile();
  };
  for (;;) {
    const kept = await readAnswer(db, scoped);
    if (kept && !kept.requestHash.equals(requestHash)) throw reused(key);
    if (kept) return { status: kept.status, headers: kept.headers, body: kept.body, replayed: true };
    try {
      return { ...(await run(keep)), replayed: false };
    } catch (error) {
      // What is refused because the same request was carried out meanwhile gets that one's answer.
      if (!(error instanceof AnsweredMeanwhile) && !(await readAnswer(db, scoped))) throw error;
    }
  }
}

function reused(key: string): OmsError {
  return new OmsError('OMS_API_KEY_REUSED', `Idempotency-Key ${JSON.stringify(key)} was used for another request`);
}

/** Gives an answer that may have been given before; then it says so. */
export function give<R extends FastifyReply>(reply: R, answer: Answer & { replayed: boolean }): R {
  if (answer.replayed) reply.header('idempotent-replayed', 'true');
  reply.code(answer.status).headers(answer.headers ?? {});
  return reply;
}
