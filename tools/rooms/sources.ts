import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/** One import of a file of ours. */
export interface Import {
  /** From the root. */
  path: string;
  isType: boolean;
}

export interface SourceFile {
  /** From the root, as `room/…/file.ts`. */
  path: string;
  text: string;
  imports: Import[];
}

const IGNORED = new Set(['node_modules', 'test', 'coverage']);

/** Every TypeScript file below the root but those of `test/`, with what it imports of ours. */
export function readSources(root: string): SourceFile[] {
  const paths = readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && !IGNORED.has(entry.name))
    .flatMap(({ name }) =>
      readdirSync(join(root, name), { recursive: true, encoding: 'utf8' }).map((p) => join(name, p)),
    )
    .filter((path) => path.endsWith('.ts'))
    .sort();
  return paths.map((path) => {
    const text = readFileSync(join(root, path), 'utf8');
    return { path, text, imports: importsOf(root, path, text) };
  });
}

/** The folder a file lies in, below the root. */
export const roomOf = (path: string): string => path.split('/')[0] ?? '';

// The sources are formatted by Prettier, so a statement begins its line and names its file in single quotes.
const STATEMENT = /^(?:import|export)\s(type\s)?(?:[^;'`]*?\sfrom\s)?'(\.[^']+)'/gm;
const DYNAMIC = /\bimport\('(\.[^']+)'\)/g;

function importsOf(root: string, path: string, text: string): Import[] {
  const stated = [...text.matchAll(STATEMENT)].map(([, type, to = '']) => ({ to, isType: type !== undefined }));
  const dynamic = [...text.matchAll(DYNAMIC)].map(([, to = '']) => ({ to, isType: false }));
  return [...stated, ...dynamic]
    .map(({ to, isType }) => ({ path: relative(root, join(root, dirname(path), to)), isType }))
    .filter((found) => existsSync(join(root, found.path)));
}
