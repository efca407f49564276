// Bundles the workflows into a file for OMS_WORKFLOW_BUNDLE: `node tools/bundle-workflows.ts FILE`. Done when an image
// is built, so that its workers need not do it at every start. The file belongs to the sources beside it.
import { writeFile } from 'node:fs/promises';
import { bundleWorkflows } from '../workers/worker.ts';

const [file] = process.argv.slice(2);
if (!file) throw new Error('usage: node tools/bundle-workflows.ts FILE');
const { code } = await bundleWorkflows();
await writeFile(file, code);
console.log(`${file}: ${Math.round(code.length / 1024)} KiB`);
