import { databaseError } from '../../database/database.ts';
import type { ReplayPart, Tallies } from '../../database/replays/replay-parts.ts';
import { cliConfig } from '../../local/settings.ts';
import { replayParts } from '../../operations/replay/parts.ts';
import type { ReplayParts } from '../../operations/replay/parts.ts';
import { standOf } from '../../operations/replay/track.ts';
import { keepGarbageSmall } from '../../platform/node-flags.ts';
import { createShutdown } from '../../platform/shutdown.ts';
import { checkDeployment } from '../../resources/deployment.ts';
import { commandLogger, replayResources } from '../../resources/profiles.ts';
import { createProgress } from '../progress.ts';
import { tallyLine } from './text.ts';

/** Opens what a replay works with; `signal` is aborted by Ctrl-C or SIGTERM. */
export async function withReplaySession<T>(work: (parts: ReplayParts, signal: AbortSignal) => Promise<T>): Promise<T> {
  keepGarbageSmall();
  const config = await cliConfig();
  // As roles do: a database that is not these topics' would take their old orders for new ones.
  await checkDeployment(config);
  const stopping = new AbortController();
  const shutdown = createShutdown({ logger: commandLogger(config), graceMs: config.OMS_SHUTDOWN_GRACE });
  void shutdown.requested.then((reason) => stopping.abort(new Error(`stopped by ${reason}`)));
  await using resources = replayResources(config);
  const parts = await replayParts(resources);
  try {
    return await work(parts, stopping.signal);
  } catch (error) {
    throw databaseError(error);
  }
}

/** How far a plan or a run is, with its rate and what is left: a bar, lines, or JSON lines; always on stderr. */
export interface ProgressView {
  /** `parts`: where each partition stands. */
  to(stand: { done: number; total: number; tallies: Tallies; effects?: Tallies }, parts?: readonly ReplayPart[]): void;
  /** Why it waits; undefined when it goes on. */
  wait(reason: string | undefined): void;
  end(): void;
}

const JSON_EVERY_MS = 1_000;

export function createProgressView(label: string, total: number, json: boolean): ProgressView {
  const progress = createProgress(label, total, json);
  const began = performance.now();
  let first: number | undefined;
  let toldAt = began;
  let waits: string | undefined;
  const tellJson = (line: Record<string, unknown>): void => void process.stderr.write(`${JSON.stringify(line)}\n`);
  return {
    to: ({ done, tallies, effects }, parts) => {
      first ??= done;
      const perSecond = Math.round((done - first) / Math.max(0.001, (performance.now() - began) / 1_000));
      const etaSeconds = perSecond > 0 ? Math.ceil((total - done) / perSecond) : null;
      if (json && performance.now() - toldAt >= JSON_EVERY_MS) {
        toldAt = performance.now();
        const partitions = parts?.map(({ partition, next, end }) => ({ partition, next, end }));
        tellJson({
          progress: { done, total, perSecond, etaSeconds, waits: waits ?? null, tallies, effects, partitions },
        });
      }
      const eta = etaSeconds === null ? '' : `, ${inWords(etaSeconds)} left`;
      const effected = effects && Object.keys(effects).length > 0 ? `; done: ${tallyLine(effects)}` : '';
      const where = process.stderr.isTTY || !parts ? '' : `; at ${positions(parts)}`;
      const held = waits === undefined ? '' : `; waits: ${waits}`;
      progress.to(done, `${perSecond}/s${eta}: ${tallyLine(tallies)}${effected}${where}${held}`);
    },
    wait: (reason) => {
      if (reason === waits) return;
      waits = reason;
      if (json) tellJson({ waits: reason ?? null });
      else if (!process.stderr.isTTY && reason !== undefined) process.stderr.write(`${label} waits: ${reason}\n`);
    },
    end: () => progress.end(),
  };
}

function positions(parts: readonly ReplayPart[]): string {
  return parts.map(({ partition, next, end }) => `${partition}:${next}/${end}`).join(' ');
}

function inWords(seconds: number): string {
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Begins with what a replay has done before. */
export function viewOfParts(label: string, parts: readonly ReplayPart[], json: boolean): ProgressView {
  return createProgressView(label, standOf(parts).total, json);
}
