import { assertDeployment } from '../../database/deployment.ts';
import { localStateDir } from '../settings.ts';
import { readMarks } from '../setup/deployment.ts';
import { ok } from './finding.ts';
import type { Verdict } from './finding.ts';
import type { Parts } from './parts.ts';

/** Check: database, namespace, topics and state directory carry one deployment id. */
export async function lookAtDeployment({ config, kafka, database, temporal }: Parts): Promise<Verdict[]> {
  const [{ client, admin, connection }, db, server] = [await kafka(), await database(), await temporal()];
  const stateDir = await localStateDir(config);
  const marks = await readMarks({ config, db, kafka: client, admin, connection, temporal: server, stateDir });
  assertDeployment(marks);
  return [ok(`${Object.keys(marks).join(', ')} belong together: ${marks.database}`)];
}
