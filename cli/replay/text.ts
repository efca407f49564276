import type { ReplayPart, Tallies } from '../../database/replays/replay-parts.ts';
import type { Replay, ReplayAction } from '../../database/replays/replays.ts';
import { replayRules } from '../../domain/replay-modes.ts';
import { CLASS_NAMES } from '../../operations/replay/classes.ts';
import { classesOf } from '../../operations/replay/sources.ts';
import { goneOf, standOf } from '../../operations/replay/track.ts';
import { table } from '../output.ts';

const grouped = (value: number): string => value.toLocaleString('en');

/** `new 12, running 300`: those there are, in the order of the guide. */
export function tallyLine(tallies: Tallies): string {
  const names = [...new Set([...CLASS_NAMES, ...Object.keys(tallies)])].filter((name) => (tallies[name] ?? 0) > 0);
  return names.map((name) => `${name} ${grouped(tallies[name] ?? 0)}`).join(', ') || 'nothing';
}

const fewOf = (ids: readonly string[]): string => (ids.length > 5 ? `${grouped(ids.length)} given` : ids.join(', '));

function describeRange({ mode, options }: Replay): string[] {
  const { fromTime, toTime, orderIds, keys, types, topics, rate, to, allowStale } = options;
  const time = (ms: number): string => new Date(ms).toISOString();
  const lines = [
    fromTime === null ? '' : `from     ${time(fromTime)}`,
    toTime === null ? '' : `before   ${time(toTime)}`,
    orderIds ? `orders   ${fewOf(orderIds)}` : '',
    keys ? `keys     ${fewOf(keys)}` : '',
    types ? `types    ${types.join(', ')}` : '',
    topics ? `topics   ${topics.join(', ')}` : '',
    replayRules(mode).reads === 'outbox' ? `to       ${to ?? 'the live topics'}` : '',
    rate > 0 ? `rate     ${grouped(rate)} effects/s at most` : '',
    allowStale ? 'stale orders are taken as new' : '',
  ];
  return lines.filter((line) => line !== '');
}

export function replayHead(replay: Replay): string {
  const { replayId, mode, state, requestedBy, reason, createdAt } = replay;
  return [
    `replay ${replayId}: ${mode} of ${replay.options.from}, ${state}`,
    `planned  ${createdAt.toISOString()} by ${requestedBy}: ${reason}`,
    ...describeRange(replay),
  ].join('\n');
}

/** The plan: counts by class with what they mean, and samples. */
export function planText(replay: Replay): string {
  const { planned } = replay;
  if (!planned) return 'the plan is not complete';
  const classes = classesOf(replay.mode, replay.options.from);
  const rows = [...new Set([...Object.keys(classes), ...Object.keys(planned.tallies)])]
    .filter((name) => (planned.tallies[name] ?? 0) > 0)
    .map((name) => [
      name,
      grouped(planned.tallies[name] ?? 0),
      classes[name]?.means ?? 'events to be told again',
      (planned.samples[name] ?? [])
        .slice(0, 3)
        .map(({ orderId, partition, offset }) => orderId ?? `${partition}:${offset}`)
        .join(' '),
    ]);
  const rate = planned.seconds > 0 ? ` (${grouped(Math.round(planned.records / planned.seconds))}/s)` : '';
  const took = `${grouped(planned.records)} looked at in ${planned.seconds.toFixed(1)} s${rate}`;
  if (rows.length === 0) return 'nothing is in this range';
  return `${took}\n\n${table(['WHAT', 'COUNT', 'MEANS', 'SUCH AS'], rows)}`;
}

/** How far each partition is. */
export function partsText(parts: readonly ReplayPart[]): string {
  const rows = parts.map(({ partition, from, next, end, tallies, effects }) => {
    const done = end === from ? 100 : ((next - from) / (end - from)) * 100;
    return [partition, from, next, end, `${done.toFixed(0)} %`, tallyLine(tallies), tallyLine(effects)];
  });
  return table(['PARTITION', 'FROM', 'NEXT', 'END', 'DONE', 'RECORDS', 'EFFECTS'], rows);
}

export function standText(replay: Replay, parts: readonly ReplayPart[]): string {
  const { tallies, effects, done, total } = standOf(parts);
  const gone = goneOf(replay, parts);
  return [
    `${grouped(done)} of ${grouped(total)} offsets; records: ${tallyLine(tallies)}; effects: ${tallyLine(effects)}`,
    ...(gone > 0 ? [`${grouped(gone)} of the planned records were deleted from the topic before they were read`] : []),
  ].join('\n');
}

export function actionsText(actions: readonly ReplayAction[]): string {
  const rows = actions.map(({ at, action, doneBy, detail }) => [at.toISOString(), doneBy, action, detail]);
  return table(['WHEN', 'WHO', 'WHAT', 'WHY'], rows);
}
