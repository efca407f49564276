import { Command } from 'commander';
import type { Replay } from '../../database/replays/replays.ts';
import { cliConfig } from '../../local/settings.ts';
import { withDatabase } from '../../resources/clients.ts';
import { countOption } from '../options.ts';
import { examples, print, printJson, table } from '../output.ts';

interface StatusFlags {
  json?: boolean;
  limit: number;
}

/** `oms replay status [ID]` */
export const status = { createCommand: createStatus };

function createStatus(): Command {
  return new Command()
    .argument('[id]', 'replay id; without it, the newest replays are listed')
    .option('--limit <rows>', 'most rows of the list', countOption(1), 20)
    .addHelpText('after', examples('oms replay status', 'oms replay status 20260302-1a2b3c --json'))
    .action(async (id: string | undefined, flags: StatusFlags) => {
      if (id === undefined) await list(flags);
      else await show(id, flags);
    });
}

async function list(flags: StatusFlags): Promise<void> {
  const { listReplays } = await import('../../database/replays/replays.ts');
  const replays = await withDatabase(await cliConfig(), (db) => listReplays(db, flags.limit));
  if (flags.json) return printJson({ replays });
  const rows = replays.map(({ replayId, mode, state, requestedBy, createdAt, reason }) => [
    ...[replayId, mode, state, createdAt.toISOString(), requestedBy],
    reason.slice(0, 60),
  ]);
  print(replays.length === 0 ? 'no replays yet' : table(['ID', 'MODE', 'STATE', 'PLANNED', 'BY', 'WHY'], rows));
}

async function show(replayId: string, flags: StatusFlags): Promise<void> {
  const { isReplayHeld } = await import('../../database/replays/replay-lock.ts');
  const { readParts } = await import('../../database/replays/replay-parts.ts');
  const { readReplay } = await import('../../database/replays/replays.ts');
  const { required } = await import('../../operations/replay/plan.ts');
  const { goneOf, standOf } = await import('../../operations/replay/track.ts');
  const { partsText, replayHead, standText } = await import('./text.ts');
  const found = await withDatabase(await cliConfig(), async (db) => ({
    replay: required(await readReplay(db, replayId), replayId),
    parts: await readParts(db, replayId),
    isHeld: await isReplayHeld(db, replayId),
  }));
  const { replay, parts, isHeld } = found;
  if (flags.json)
    return printJson({
      ...replay,
      isRunning: isHeld,
      ...standOf(parts),
      gone: goneOf(replay, parts),
      partitions: parts,
    });
  print(`${replayHead(replay)}\n${standText(replay, parts)}\n\n${partsText(parts)}`);
  if (isInterrupted(replay, isHeld)) print(`\nIts process is gone: \`oms replay resume ${replayId}\` goes on.`);
}

const isInterrupted = ({ state }: Replay, isHeld: boolean): boolean => state === 'running' && !isHeld;

/** `oms replay report ID` */
export const report = { createCommand: createReport };

function createReport(): Command {
  return new Command()
    .argument('<id>', 'replay id')
    .addHelpText('after', '\nWhat was planned and what was done, by whom and why, with samples.')
    .addHelpText('after', examples('oms replay report 20260302-1a2b3c', 'oms replay report 20260302-1a2b3c --json'))
    .action(printReport);
}

async function printReport(replayId: string, flags: { json?: boolean }): Promise<void> {
  const { readActions } = await import('../../database/replays/replays.ts');
  const { readParts } = await import('../../database/replays/replay-parts.ts');
  const { readReplay } = await import('../../database/replays/replays.ts');
  const { required } = await import('../../operations/replay/plan.ts');
  const { goneOf, standOf } = await import('../../operations/replay/track.ts');
  const { actionsText, partsText, planText, replayHead, standText } = await import('./text.ts');
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
