import proto from '@temporalio/proto';

const { History: HistoryType } = proto.temporal.api.history.v1;

export type History = proto.temporal.api.history.v1.History;

/** A history as a file keeps it: enums by name, long numbers as text, bytes in base64; without what names the machine. */
export function historyToText(history: proto.temporal.api.history.v1.IHistory): string {
  const plain = HistoryType.toObject(HistoryType.fromObject(history), { enums: String, longs: String, bytes: String });
  return `${JSON.stringify(plain, withoutMachine, 1)}\n`;
}

export function historyFromText(text: string): History {
  return HistoryType.fromObject(JSON.parse(text) as Record<string, unknown>);
}

function withoutMachine(name: string, value: unknown): unknown {
  if (name === 'identity') return 'worker';
  if (name === 'stackTrace') return '';
  // A sticky task queue is named for its process.
  return typeof value === 'string' ? value.replace(/^\d+@[^-]+/, 'worker') : value;
}
