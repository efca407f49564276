import { beforeAll, describe, expect, it } from '@jest/globals';
import { dirname, relative, sep } from 'node:path';
import { WORKFLOWS_PATH, bundleWorkflows } from '../../workers/worker.ts';

const ROOT = dirname(dirname(WORKFLOWS_PATH));

/** What the bundler has put in, relative to the project; its own runtime has no path. */
let modules: string[];
beforeAll(async () => {
  const { code } = await bundleWorkflows();
  const map = /sourceMappingURL=data:application\/json;[^,]*base64,([A-Za-z0-9+/=]+)\s*$/.exec(code)?.[1] ?? '';
  const { sources } = JSON.parse(Buffer.from(map, 'base64').toString()) as { sources: string[] };
  const files = sources.filter((source) => source.startsWith(ROOT));
  modules = files.map((file) => relative(ROOT, file).split(sep).join('/'));
}, 60_000);

describe('The workflow bundle', () => {
  it('holds workflows and domain of ours, and nothing else', () => {
    const ours = modules.filter((module) => !module.startsWith('node_modules/'));
    expect(ours).toContain('workflows/order.ts');
    expect(new Set(ours.map((module) => module.split('/')[0]))).toEqual(new Set(['workflows', 'domain']));
  });

  it("holds of others' only Temporal's own modules and what those need", () => {
    const packages = modules.flatMap((module) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(module)?.[1] ?? []);
    expect(new Set(packages)).toEqual(
      new Set(['@temporalio/common', '@temporalio/workflow', 'long', 'ms', 'nexus-rpc']),
    );
  });
});
