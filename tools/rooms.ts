// Prints figures about the source files: `node tools/rooms.ts [--root DIR]`, DIR being another checkout to compare with.
// Tests are left out, as files and as importers.
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { readSources, roomOf } from './rooms/sources.ts';
import type { SourceFile } from './rooms/sources.ts';

const SHORT = 60;
const LONG = 350;
const OPENERS = /(?<!function )\b(?:openDatabase|createRegistry|openTemporal|openProviders)\(/g;

const lines = ({ text }: SourceFile): number => text.split('\n').length - 1;

/** Places outside `resources/` that open what the system stands on, room by room. */
function openings(sources: readonly SourceFile[]): string {
  const calls = sources
    .filter(({ path }) => roomOf(path) !== 'resources')
    .flatMap(({ path, text }) => [...text.matchAll(OPENERS)].map(() => roomOf(path)));
  const byRoom = Object.entries(Object.groupBy(calls, (room) => room));
  const detail = byRoom.map(([room, found]) => `${room} ${found?.length ?? 0}`).join(', ');
  return `${calls.length}${detail && ` (${detail})`}`;
}

function figures(sources: readonly SourceFile[]): Record<string, string | number> {
  const importers = Map.groupBy(
    sources.flatMap(({ path, imports }) => [...new Set(imports.map((to) => to.path))].map((to) => ({ path, to }))),
    ({ to }) => to,
  );
  const intoIngest = [...importers].flatMap(([to, found]) =>
    roomOf(to) === 'ingest' ? found.filter(({ path }) => roomOf(path) !== 'ingest') : [],
  );
  return {
    'source files': sources.length,
    [`files under ${SHORT} lines`]: sources.filter((file) => lines(file) < SHORT).length,
    'files with one importer': [...importers.values()].filter((found) => found.length === 1).length,
    [`files over ${LONG} lines`]: sources.filter((file) => lines(file) > LONG).length,
    'files that import from ingest/': new Set(intoIngest.map(({ path }) => path)).size,
    'files of ingest/ they import': new Set(intoIngest.map(({ to }) => to)).size,
    'calls that open resources elsewhere': openings(sources),
  };
}

const { root } = parseArgs({ options: { root: { type: 'string', default: join(import.meta.dirname, '..') } } }).values;
for (const [name, figure] of Object.entries(figures(readSources(resolve(root))))) {
  console.log(`${name.padEnd(36)} ${figure}`);
}
