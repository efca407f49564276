import { table } from '../../cli/output.ts';
import type { Call } from './recorder.ts';
import type { Step } from './walk.ts';

/** How one step went: what was wrong, if anything, and what to say of it. */
export interface Outcome {
  step: Step;
  seconds: number;
  faults: string[];
  note: string;
  /** Its failure is known of the API that is walked. */
  excused: boolean;
}

export const isFine = ({ faults, excused }: Outcome): boolean => faults.length === 0 || excused;

export function verdict({ faults, excused }: Outcome): string {
  if (faults.length === 0) return 'passed';
  return excused ? 'known defect' : 'FAILED';
}

export function stepsTable(outcomes: readonly Outcome[]): string {
  const rows = outcomes.map((outcome) => [
    verdict(outcome),
    outcome.step.name,
    outcome.seconds.toFixed(1),
    isFine(outcome) && outcome.excused && outcome.faults.length > 0 ? outcome.step.knownDefect : outcome.note,
  ]);
  return table(['', 'step', 'seconds', ''], rows);
}

/** `/orders/A1-17:1/action` as `/orders/{id}/action`. */
const routeOf = ({ method, path }: Call): string =>
  `${method} ${path.replace(/^\/(orders|shipments)\/(?!stats$|pending$)[^/]+/, '/$1/{id}')}`;

function routeRow(calls: readonly Call[]): (string | number)[] {
  const times = calls.map(({ ms }) => ms).sort((a, b) => a - b);
  const at = (share: number): string => (times[Math.ceil(times.length * share) - 1] ?? 0).toFixed(0);
  const [first] = calls;
  return [first ? routeOf(first) : '', first?.status ?? 0, calls.length, at(0.5), at(0.99), at(1)];
}

/** What the client asked of the API, by route and status. */
export function callsTable(calls: readonly Call[]): string {
  const byRoute = Object.groupBy(calls, (call) => `${routeOf(call)} ${call.status}`);
  const rows = Object.entries(byRoute).sort(([a], [b]) => a.localeCompare(b));
  return table(
    ['route', 'status', 'calls', 'median ms', 'p99 ms', 'most ms'],
    rows.map(([, group = []]) => routeRow(group)),
  );
}

export const faultLines = (outcomes: readonly Outcome[]): string[] =>
  outcomes.flatMap(({ step, faults }) => faults.map((fault) => `${step.name}: ${fault}`));
