import { playDemo } from '../operations/demo/play-demo.ts';
import type { DemoResult } from '../operations/demo/play-demo.ts';
import type { Config } from '../platform/config/settings.ts';
import { nextSteps, progressLines, summaryText } from './demo/summary.ts';
import { note, print, printJson } from './output.ts';

export interface DemoView {
  signal?: AbortSignal;
  /** Print the result as JSON. */
  json?: boolean;
}

/** Plays the demo and shows how its orders come on; then a summary, unless it was stopped. */
export async function runDemo(config: Config, { signal, json = false }: DemoView = {}): Promise<DemoResult> {
  const result = await playAndShow(config, json, signal);
  if (signal?.aborted) return result;
  if (json) printJson(result);
  else print(`\n${summaryText(result)}\n\n${nextSteps(result.example)}\n`);
  return result;
}

async function playAndShow(config: Config, quiet: boolean, signal: AbortSignal | undefined): Promise<DemoResult> {
  const live = createLiveLines(quiet);
  try {
    return await playDemo(config, {
      signal,
      onProgress: (counts, orders, seconds) => live.show(progressLines(counts, orders, seconds)),
      onStalled: (left) => note(`\n${left} orders have not come to their end; they go on.`),
    });
  } finally {
    live.end();
  }
}

/** Lines that are written over on a terminal, and repeated as one now and then elsewhere. */
interface LiveLines {
  show(lines: readonly string[]): void;
  end(): void;
}

const REPEAT_MS = 5_000;

/** On stderr; `quiet` shows nothing. */
function createLiveLines(quiet: boolean): LiveLines {
  if (quiet) return { show: () => undefined, end: () => undefined };
  return process.stderr.isTTY ? terminalLines() : plainLine();
}

function terminalLines(): LiveLines {
  let drawn = 0;
  const show = (lines: readonly string[]): void => {
    const width = (process.stderr.columns || 80) - 1;
    const back = drawn > 0 ? `\x1b[${drawn}A` : '';
    process.stderr.write(back + lines.map((line) => `\r\x1b[K${line.slice(0, width)}\n`).join(''));
    drawn = lines.length;
  };
  return { show, end: () => undefined };
}

function plainLine(): LiveLines {
  let [toldAt, last] = [-Infinity, ''];
  const tell = (text: string): void => {
    toldAt = performance.now();
    last = '';
    process.stderr.write(`${text}\n`);
  };
  return {
    show: (lines) => {
      last = lines.map((line) => line.trim()).join(' · ');
      if (performance.now() - toldAt >= REPEAT_MS) tell(last);
    },
    end: () => {
      if (last !== '') tell(last);
    },
  };
}
