import { Command } from 'commander';
import { cliConfig } from '../local/settings.ts';
import { withDatabase } from '../resources/clients.ts';
import { examples, print, printJson } from './output.ts';

/** `oms replay report ID` */
export function createCommand(): Command {
  return new Command()
    .argument('<id>', 'replay id')
    .addHelpText('after', '\nWhat was planned and what was done, by whom and why, with samples.')
    .addHelpText('after', examples('oms replay report 20260302-1a2b3c', 'oms replay report 20260302-1a2b3c --json'))
    .action(report);
}

async function report(replayId: string, flags: { json?: boolean }): Promise<void> {
  const { readActions } = await import('../database/replays/replays.ts');
  const { readParts } = await import('../database/replays/replay-parts.ts');
  const { readReplay } = await import('../database/replays/replays.ts');
  const { required } = await import('../operations/replay/plan.ts');
  const { goneOf, standOf } = await import('../operations/replay/track.ts');
  const { actionsText, partsText, planText, replayHead, standText } = await import('./replay/words.ts');
  const { replay, parts, actions } = await withDatabase(await cliConfig(), async (db) => ({
    replay: required(await readReplay(db, replayId), replayId),
    parts: await readParts(db, replayId),
    actions: await readActions(db, replayId),
  }));
  if (flags.json)
    return printJson({ ...replay, ...standOf(parts), gone: goneOf(replay, parts), partitions: parts, actions });
  print(
    [
      replayHead(replay),
      `Plan: ${planText(replay)}`,
      `Run: ${standText(replay, parts)}`,
      partsText(parts),
      actionsText(actions),
    ].join('\n\n'),
  );
}
