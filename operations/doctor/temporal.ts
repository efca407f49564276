import { OmsError } from '../../domain/errors.ts';
import { describeNamespace } from '../../temporal/namespace.ts';
import type { Namespace } from '../../temporal/namespace.ts';
import { ok, warning } from './finding.ts';
import type { Verdict } from './finding.ts';
import type { Parts } from './parts.ts';

/** Check: the server answers, and the namespace is there. */
export async function lookAtTemporal(parts: Parts): Promise<Verdict[]> {
  const { config, temporal } = parts;
  const connection = await temporal();
  const name = config.TEMPORAL_NAMESPACE;
  const { serverVersion } = await connection.workflowService.getSystemInfo({});
  const namespace = await namespaceOf(parts);
  const found = ok(`server ${serverVersion}, namespace ${name}`);
  if (namespace.retentionMs >= config.OMS_TEMPORAL_RETENTION) return [found];
  const hours = Math.ceil(config.OMS_TEMPORAL_RETENTION / 3_600_000);
  const detail = `keeps closed workflows for less than OMS_TEMPORAL_RETENTION (${hours} h): operators see less of what was`;
  const fix = `temporal operator namespace update --namespace ${name} --retention ${hours}h`;
  return [found, warning('OMS_SETUP_DRIFT', detail, { about: `namespace ${name}`, fix })];
}

/** @throws OmsError OMS_TEMPORAL_NAMESPACE_MISSING */
export async function namespaceOf({ config, temporal }: Parts): Promise<Namespace> {
  const name = config.TEMPORAL_NAMESPACE;
  const namespace = await describeNamespace(await temporal(), name);
  if (namespace) return namespace;
  const where = `Temporal at ${config.TEMPORAL_ADDRESS}`;
  throw new OmsError('OMS_TEMPORAL_NAMESPACE_MISSING', `${where} has no namespace ${name} (TEMPORAL_NAMESPACE)`);
}
