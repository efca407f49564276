import { existsSync, globSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const ROOT = join(import.meta.dirname, '../..');
const FOLDERS = readdirSync(ROOT, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && entry.name !== 'node_modules')
  .map(({ name }) => name);

const filesOf = (pattern: string): string[] => globSync(pattern, { cwd: ROOT, exclude: ['node_modules/**'] });
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** A path from the root, by its folder and the ending of its name; `*` stands for any name. */
const FILE = new RegExp(
  `(?<![\\w./-])(?:${FOLDERS.join('|')})/[\\w./*-]*\\.(?:ts|js|cjs|sh|md|avsc|json|yml|html)\\b`,
  'g',
);
/** A path from the root in backquotes, also of a folder. */
const QUOTED = new RegExp(`(?<=\`)(?:${FOLDERS.join('|')})/[\\w./*-]*(?=\`)`, 'g');

const exists = (path: string): boolean =>
  path.includes('*') ? filesOf(path).length > 0 : existsSync(join(ROOT, path));

function missingIn(file: string, text: string): string[] {
  const named = [...text.matchAll(FILE), ...text.matchAll(QUOTED)].map(([path]) => path);
  return [...new Set(named)].filter((path) => !exists(path)).map((path) => `${file}: ${path}`);
}

/** The lines that are comments, as they begin in TypeScript and in shell scripts. */
const commentsOf = (text: string): string =>
  text
    .split('\n')
    .filter((line) => /^\s*(\/\/|\/?\*|#)/.test(line))
    .join('\n');

/** Links of a page to files, relative to it. */
function brokenLinks(page: string): string[] {
  const targets = [...read(page).matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map(([, target = '']) => target);
  return targets
    .filter((target) => !target.includes(':') && !existsSync(join(ROOT, dirname(page), target)))
    .map((target) => `${page}: ${target}`);
}

const PAGES = ['README.md', 'CONTRIBUTING.md', ...filesOf('docs/*.md')];

describe('paths in the documentation', () => {
  it('name files and folders that exist', () => {
    expect(PAGES.length).toBeGreaterThan(10);
    expect(PAGES.flatMap((page) => missingIn(page, read(page)))).toEqual([]);
  });

  it('lead from page to page', () => {
    expect(PAGES.flatMap(brokenLinks)).toEqual([]);
  });
});

describe('paths in configuration', () => {
  // A pattern of ESLint that matches nothing is a rule that is off, and nobody is told.
  const files = [
    'package.json',
    'eslint.config.js',
    'jest.config.js',
    'knip.jsonc',
    'Dockerfile',
    'docker-compose.yml',
    '.ci/run',
  ];

  it('name files that exist', () => {
    expect(files.flatMap((file) => missingIn(file, read(file)))).toEqual([]);
  });
});

describe('paths in comments', () => {
  it('name files and folders that exist', () => {
    const sources = filesOf(`{${FOLDERS.join(',')}}/**/*.{ts,js,sh}`);
    expect(sources.length).toBeGreaterThan(100);
    expect(sources.flatMap((file) => missingIn(file, commentsOf(read(file))))).toEqual([]);
  });
});
