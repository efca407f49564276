/**
 * Records a history of each way an order can go, for the replay test: `node tools/record-histories.ts [STORY …]` on a new
 * release. What is recorded already is left alone: it is what running orders of that release look like.
 */
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { historyToText } from '../test/helpers/histories.ts';
import { CAPTURE_STORIES, RECORDED_STORIES } from '../test/helpers/recorded-stories.ts';
import { obtainStack, publishEndpoints } from '../test/helpers/stack.ts';
import { createWorkflowWorld } from '../test/helpers/workflow-world.ts';

const root = new URL('../', import.meta.url);
const { version } = JSON.parse(await readFile(new URL('package.json', root), 'utf8')) as { version: string };
const folder = new URL(`test/histories/${version}/`, root);
await mkdir(folder, { recursive: true });

const wanted = process.argv.slice(2);
const fileOf = (story: string): URL => new URL(`${story}.json`, folder);
const isToRecord = (story: string): boolean =>
  (wanted.length === 0 || wanted.includes(story)) && !existsSync(fileOf(story));

const stack = await obtainStack();
publishEndpoints(stack.endpoints);
for (const [paymentMode, stories] of [
  ['charge', RECORDED_STORIES],
  ['capture-at-handover', CAPTURE_STORIES],
] as const) {
  const world = await createWorkflowWorld({ paymentMode });
  for (const [name, play] of Object.entries(stories).filter(([story]) => isToRecord(story))) {
    const handle = await play(world, name);
    const { status } = await handle.result();
    const history = await handle.fetchHistory();
    await writeFile(fileOf(name), historyToText(history));
    process.stdout.write(`${name}: ${status}, ${history.events?.length ?? 0} events\n`);
  }
  await world.drop();
}
await stack.stop();
