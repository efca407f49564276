import { access } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { DefaultLogger, bundleWorkflowCode } from '@temporalio/worker';
import type { WorkerOptions, WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { OmsError } from '../domain/errors.ts';

const workflows = (file: string): string => fileURLToPath(new URL(`../workflows/${file}`, import.meta.url));

/** The workflows are bundled from here as they are; this folder knows them by path only. */
export const WORKFLOWS_PATH = workflows('index.ts');

/** Loaded once instead of once an order: our workflow modules keep no state of their own. */
export const PRELOAD_MODULES = [workflows('preload.ts'), WORKFLOWS_PATH];

/** The workflows as one script, as a worker runs them. Takes seconds; whoever starts often makes it beforehand. */
export function bundleWorkflows(): Promise<WorkflowBundleWithSourceMap> {
  return bundleWorkflowCode({
    workflowsPath: WORKFLOWS_PATH,
    preloadModules: PRELOAD_MODULES,
    logger: new DefaultLogger('WARN'),
  });
}

/**
 * A bundle that was made beforehand, by its file; undefined when none is named.
 * @throws OmsError OMS_CONFIG_INVALID when the file cannot be read
 */
export async function givenBundle(codePath: string): Promise<WorkerOptions['workflowBundle']> {
  if (codePath === '') return undefined;
  await access(codePath).catch((cause: unknown) => {
    const rule = 'must be a file made by `node tools/bundle-workflows.ts FILE`';
    throw new OmsError('OMS_CONFIG_INVALID', `OMS_WORKFLOW_BUNDLE is ${JSON.stringify(codePath)}: ${rule}`, { cause });
  });
  return { codePath };
}
