import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../platform/logger.ts';
import type { Sender } from './sender.ts';

export interface SendLoop {
  /** Null while rounds succeed, else why the last one did not. */
  check: () => string | null;
  /** Since the last round began or ended, ms. */
  idleMs(): number;
  /** Starts no new round; resolves when the current one has ended. */
  stop(): Promise<void>;
}

/** After a round: time for more events to gather, so that a busy hour goes out in batches. */
const GATHER_MS = 50;
const WAIT_AFTER_FAILURE_MS = 1_000;

/** Round after round: at once while there is more than a batch, soon while there is anything, else when the outbox announces itself or `pollMs` are over. */
export function startSendLoop(options: {
  sender: Sender;
  wake: Wake;
  batch: number;
  pollMs: number;
  logger: Logger;
}): SendLoop {
  const { sender, wake, logger } = options;
  let stopping = false;
  let failure: string | null = 'the outbox was not looked at yet';
  let progressAt = performance.now();

  const round = async (): Promise<void> => {
    const found = await sender.round();
    failure = null;
    if (found >= options.batch) return;
    if (found > 0) await sleep(GATHER_MS);
    else await wake.sleep(options.pollMs);
  };
  const loop = async (): Promise<void> => {
    while (!stopping) {
      progressAt = performance.now();
      try {
        await round();
      } catch (error) {
        failure = error instanceof Error ? error.message : String(error);
        logger.warn({ err: error }, 'outbox not sent, trying again');
        await wake.sleep(WAIT_AFTER_FAILURE_MS);
      }
    }
  };
  const ended = loop();
  return {
    check: () => failure,
    idleMs: () => performance.now() - progressAt,
    stop: () => {
      stopping = true;
      wake.now();
      return ended;
    },
  };
}

/** Lets a loop sleep until something announces itself, or a time has passed. */
export interface Wake {
  /** Ends the sleep, or the next one if none is going on. */
  now: () => void;
  sleep(ms: number): Promise<void>;
}

export function createWake(): Wake {
  let woken = false;
  let end: () => void = () => undefined;
  return {
    now: () => {
      woken = true;
      end();
    },
    sleep: async (ms) => {
      if (!woken) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, ms);
          end = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      woken = false;
    },
  };
}
