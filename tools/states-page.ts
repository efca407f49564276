import { ACTORS, FULFILLMENT_STATES, ORDER_STATES, PAYMENT_STATES, SHIPMENT_STATES } from '../domain/status.ts';
import type { Actor, StateTable } from '../domain/status.ts';

/** docs/states.md: the state tables as diagrams and as text. */
export function statesPage(head: string): string {
  const actors = Object.entries(ACTORS).map(([name, about]) => `- **${name}**: ${about}.`);
  return [
    head,
    INTRODUCTION,
    actors.join('\n'),
    section('Order', 'pending', ORDER_STATES),
    section('Fulfillment', 'pending', FULFILLMENT_STATES, ['unavailable']),
    section('Payment', 'pending', PAYMENT_STATES),
    section('Shipment', 'pending', SHIPMENT_STATES),
    '',
  ]
    .join('\n\n')
    .trimEnd()
    .concat('\n');
}

const INTRODUCTION = `# States

What may happen to an order and to its parts, and who may cause it. A move that is not here is refused with
\`OMS_ORDER_MOVE_ILLEGAL\` and never applied; news that would lead to one is kept and changes nothing. An order's final
status follows from its parts: delivered and failed parts together make it \`partiallyCompleted\`; cancelled parts count
neither way.`;

interface Move {
  from: string;
  to: string;
  by: readonly Actor[];
}

function section<S extends string>(name: string, first: S, table: StateTable<S>, others: readonly S[] = []): string {
  const states = Object.entries<Readonly<Partial<Record<S, readonly Actor[]>>>>(table);
  const moves = states.flatMap(([from, to]) =>
    Object.entries<readonly Actor[]>(to as Record<string, readonly Actor[]>).map(([target, by]): Move => ({
      from,
      to: target,
      by,
    })),
  );
  const final = states.filter(([, to]) => Object.keys(to).length === 0).map(([state]) => state);
  return [`## ${name}`, diagram([first, ...others], moves, final), list(moves)].join('\n\n');
}

function diagram(first: readonly string[], moves: readonly Move[], final: readonly string[]): string {
  const lines = [
    ...first.map((state) => `[*] --> ${state}`),
    ...moves.map(({ from, to, by }) => `${from} --> ${to}: ${by.join(', ')}`),
    ...final.map((state) => `${state} --> [*]`),
  ];
  return ['```mermaid', 'stateDiagram-v2', ...lines.map((line) => `  ${line}`), '```'].join('\n');
}

function list(moves: readonly Move[]): string {
  const rows = moves.map(({ from, to, by }) => `| \`${from}\` | \`${to}\` | ${by.join(', ')} |`);
  return ['| from | to | by |', '| --- | --- | --- |', ...rows].join('\n');
}
