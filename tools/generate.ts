import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { asyncApiDocument } from './asyncapi.ts';
import { cataloguePage } from './catalogue-page.ts';
import { consumingPage } from './consuming-page.ts';
import { eventsPage } from './events-page.ts';
import { HEAD, configurationPage, environmentExample, errorsPage } from './generate-docs.ts';
import { generatedTypes } from './generate-types.ts';
import { openApiFile } from './openapi.ts';
import { architecturePage } from './rooms/picture.ts';
import { statesPage } from './states-page.ts';

const ROOT = join(import.meta.dirname, '..');

/** Path (from the root) and text of every file that is generated from another. */
export async function generatedFiles(): Promise<Map<string, string>> {
  return new Map([
    ...generatedTypes(ROOT),
    ['docs/configuration.md', configurationPage()],
    ['docs/errors.md', errorsPage()],
    ['docs/events.md', eventsPage(HEAD)],
    ['docs/openapi.json', await openApiFile()],
    ['docs/architecture.md', architecturePage(ROOT)],
    ['docs/states.md', statesPage(HEAD)],
    ['docs/consuming.md', consumingPage(HEAD, ROOT)],
    ['docs/asyncapi.json', asyncApiDocument(ROOT)],
    ['docs/event-catalogue.html', cataloguePage()],
    ['.env.example', environmentExample()],
  ]);
}

function read(path: string): string | undefined {
  try {
    return readFileSync(join(ROOT, path), 'utf8');
  } catch {
    return undefined;
  }
}

/** Files whose text on disk is not what their source says. */
export async function outdatedFiles(): Promise<string[]> {
  return [...(await generatedFiles())].filter(([path, text]) => read(path) !== text).map(([path]) => path);
}

if (import.meta.main) {
  const outdated = await outdatedFiles();
  for (const [path, text] of await generatedFiles()) {
    if (!outdated.includes(path)) continue;
    mkdirSync(join(ROOT, dirname(path)), { recursive: true });
    writeFileSync(join(ROOT, path), text);
  }
  // The pages are made of the types as they were when this process began: once more, with the new ones.
  if (outdated.some((path) => path.startsWith('schemas/'))) {
    process.exitCode = spawnSync(process.execPath, [import.meta.filename], { stdio: 'inherit' }).status ?? 1;
  }
  console.log(outdated.length === 0 ? 'all generated files are up to date' : `generated ${outdated.join(', ')}`);
}
