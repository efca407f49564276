import { withDatabase } from '../clients.ts';
import { printResult } from '../output.ts';
import { cliConfig } from '../settings.ts';

/** Pauses or aborts a replay, whoever runs it. */
export async function changeState(
  change: 'pause' | 'abort',
  replayId: string,
  flags: { json?: boolean; by?: string },
): Promise<void> {
  const { changeReplay } = await import('../../replay/run.ts');
  const { operator } = await import('./request.ts');
  const replay = await withDatabase(await cliConfig(), (db) =>
    changeReplay({ db }, replayId, change, operator(flags.by)),
  );
  printResult(flags, { replayId, state: replay.state }, () => `replay ${replayId} is ${replay.state}`);
}
