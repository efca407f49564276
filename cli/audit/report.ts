import type { AuditReport } from '../../operations/audit/audit.ts';
import { note, table } from '../output.ts';

/** A report as text: the differences, then the invariants. */
export function auditText({ differences, counts, invariants, orders, unknown, records, parts }: AuditReport): string {
  const rows = differences.map(({ code, orderId, subject, detail, remedy, repaired }) => [
    ...[code, orderId ?? '-', subject, detail],
    repaired ?? (remedy ? 'can be: --repair' : 'by hand'),
  ]);
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const listed = differences.length < total ? ` (${differences.length} listed)` : '';
  const lines = invariants.map(({ states, holds, broken }) =>
    holds === null ? `? ${states} (not all audited)` : holds ? `= ${states}` : `! ${states}: ${broken} differences`,
  );
  return [
    ...(rows.length > 0 ? [table(['CODE', 'ORDER', 'SUBJECT', 'FOUND', 'REPAIR'], rows), ''] : []),
    ...lines,
    '',
    ...unknown.map((orderId) => `order ${orderId} is known nowhere`),
    `${total} differences${listed} in ${orders} orders and ${records} records; audited: ${parts.join(', ')}`,
  ].join('\n');
}

const EVERY_MS = 2_000;

/** Says now and then how far the audit is; nothing in the way of JSON. */
export function createAuditProgress(json: boolean): (progress: { orders: number; records: number }) => void {
  let toldAt = performance.now();
  return ({ orders, records }) => {
    if (json || performance.now() - toldAt < EVERY_MS) return;
    toldAt = performance.now();
    note(`${records} records read, ${orders} orders compared`);
  };
}
