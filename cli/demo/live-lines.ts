/** Lines that are written over on a terminal, and repeated as one now and then elsewhere. */
export interface LiveLines {
  show(lines: readonly string[]): void;
  end(): void;
}

const REPEAT_MS = 5_000;

/** On stderr; `quiet` shows nothing. */
export function createLiveLines(quiet: boolean): LiveLines {
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
