import { describe, expect, it } from '@jest/globals';
import { createLogger } from '../../platform/logger.ts';

function capture(): { lines: string[]; write(line: string): void } {
  const lines: string[] = [];
  return { lines, write: (line) => void lines.push(line) };
}

describe('the logger', () => {
  it('writes one JSON line a message with role and facts', () => {
    const sink = capture();
    createLogger({ role: 'ingest', level: 'info', destination: sink }).info({ orderId: 'A-1' }, 'order started');
    expect(JSON.parse(sink.lines[0] ?? '')).toMatchObject({ role: 'ingest', orderId: 'A-1', msg: 'order started' });
  });

  it('lets no address, e-mail or password through, at the top or inside an object', () => {
    const sink = capture();
    const logger = createLogger({ role: 'worker', level: 'info', destination: sink });
    logger.info(
      { email: 'ada@example.org', order: { shipTo: { line1: 'Elm St 1' } }, a: { b: { password: 'hunter2' } } },
      'x',
    );
    expect(sink.lines[0]).not.toMatch(/ada@|Elm St|hunter2/);
    expect(sink.lines[0]).toContain('[redacted]');
  });

  it('leaves out what is below its level', () => {
    const sink = capture();
    createLogger({ role: 'worker', level: 'warn', destination: sink }).info('quiet');
    expect(sink.lines).toEqual([]);
  });
});
