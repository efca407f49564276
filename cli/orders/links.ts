import { readStack } from '../../local/state-file.ts';
import type { Config } from '../../platform/config/settings.ts';

/** Where Temporal's UI shows a workflow; null when no UI is known: TEMPORAL_UI_URL, else that of the local stack. */
export async function workflowUrl(
  config: Config,
  workflowId: string,
  runId: string | null | undefined,
): Promise<string | null> {
  const base = config.TEMPORAL_UI_URL || (await localUi(config));
  if (!base) return null;
  const execution = [workflowId, ...(runId ? [runId] : [])].map(encodeURIComponent).join('/');
  return `${base.replace(/\/+$/, '')}/namespaces/${config.TEMPORAL_NAMESPACE}/workflows/${execution}`;
}

/** Only where the local stack's Temporal is the one we are talking to. */
async function localUi(config: Config): Promise<string | undefined> {
  const endpoints = (await readStack(config.OMS_STATE_DIR))?.endpoints;
  return endpoints?.temporalAddress === config.TEMPORAL_ADDRESS ? endpoints.temporalUiUrl : undefined;
}
