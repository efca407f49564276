import { assertNotRebuilding } from '../../database/deployment/deployment.ts';
import { localStateDir } from '../../local/settings.ts';
import { assertWhole } from '../../resources/deployment.ts';
import { ok } from './finding.ts';
import type { Verdict } from './finding.ts';
import type { Parts } from './parts.ts';

/** Check: database, namespace, topics and state directory carry one deployment id, and the database knows what was told. */
export async function lookAtDeployment({ config, kafka, database, temporal }: Parts): Promise<Verdict[]> {
  const [{ client, admin, connection }, db, server] = [await kafka(), await database(), await temporal()];
  const stateDir = await localStateDir(config);
  await assertNotRebuilding(db);
  const marks = await assertWhole({ config, db, kafka: client, admin, connection, temporal: server, stateDir });
  return [
    ok(`${Object.keys(marks).join(', ')} belong together: ${marks.database}; the database is not behind the topics`),
  ];
}
