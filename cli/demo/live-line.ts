/** A line that is written over on a terminal, and repeated now and then elsewhere. */
export interface LiveLine {
  show(text: string): void;
  end(): void;
}

const REPEAT_MS = 5_000;

/** On stderr; `quiet` shows nothing. */
export function createLiveLine(quiet: boolean): LiveLine {
  if (quiet) return { show: () => undefined, end: () => undefined };
  return process.stderr.isTTY ? terminalLine() : plainLine();
}

function terminalLine(): LiveLine {
  const CLEAR = '\r\x1b[K';
  const cut = (text: string): string => text.slice(0, (process.stderr.columns || 80) - 1);
  return {
    show: (text) => void process.stderr.write(CLEAR + cut(text)),
    end: () => void process.stderr.write('\n'),
  };
}

function plainLine(): LiveLine {
  let [toldAt, last] = [-Infinity, ''];
  const tell = (text: string): void => {
    toldAt = performance.now();
    last = '';
    process.stderr.write(`${text}\n`);
  };
  return {
    show: (text) => {
      last = text;
      if (performance.now() - toldAt >= REPEAT_MS) tell(text);
    },
    end: () => {
      if (last !== '') tell(last);
    },
  };
}
