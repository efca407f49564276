import { describe, it, expect } from '@jest/globals';
import { createBackoff } from '../../local/backoff.ts';
import { mavenProgress } from '../../local/downloads.ts';
import { errorOf } from '../../local/logs.ts';
import { createProgressView } from '../../local/progress-view.ts';

describe('progress without a terminal', () => {
  const show = () => {
    let clock = 0;
    const text: string[] = [];
    const view = createProgressView({ write: (line) => text.push(line) }, () => clock);
    return { text, view, pass: (ms: number) => void (clock += ms) };
  };

  it('is a line for each step, with the time since the part began', () => {
    const { text, view, pass } = show();
    view.update({ part: 'kafka', state: 'running', detail: 'starting' });
    pass(6_000);
    view.update({ part: 'kafka', state: 'done', detail: 'ready on port 9092' });
    expect(text).toEqual(['kafka: starting (0 s)\n', 'kafka: ready on port 9092 (6 s)\n']);
  });

  it('mentions a long step again only now and then, however often its count changes', () => {
    const { text, view, pass } = show();
    for (let files = 0; files < 40; files += 1) {
      view.update({ part: 'kafka', state: 'running', detail: `fetching: ${files} files` });
      pass(1_000);
    }
    expect(text).toEqual([
      'kafka: fetching: 0 files (0 s)\n',
      'kafka: fetching: 15 files (15 s)\n',
      'kafka: fetching: 30 files (30 s)\n',
    ]);
  });
});

describe('progress on a terminal', () => {
  it('ends with one line a part, its time standing still', () => {
    let clock = 0;
    const text: string[] = [];
    const view = createProgressView({ write: (line) => text.push(line), isTTY: true, columns: 80 }, () => clock);
    view.update({ part: 'kafka', state: 'running', detail: 'starting' });
    clock = 6_000;
    view.update({ part: 'kafka', state: 'done', detail: 'ready' });
    clock = 60_000;
    view.finish();
    expect(text.at(-1)).toContain('✔ kafka     ready (6 s)');
  });
});

describe('progress of Maven', () => {
  it('counts files and says how far the one under way is', () => {
    const told = mavenProgress();
    told('Downloaded from central: https://example.org/a.jar (12 kB at 1 MB/s)');
    expect(told('Progress (1): 12/109 MB')).toBe('fetching Kafka and the registry: 1 files, 12/109 MB');
  });
});

describe('the backoff', () => {
  it('doubles from half a second to thirty, and starts over after a minute of running well', () => {
    const backoff = createBackoff();
    const quick = Array.from({ length: 8 }, () => backoff.next(10));
    expect(quick).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
    expect(backoff.next(60_000)).toBe(500);
  });
});

describe('the errors in a log', () => {
  it('are lines of level error and above, with the reason', () => {
    expect(errorOf('{"level":50,"msg":"send failed","err":{"message":"no broker"}}')).toBe('send failed: no broker');
    expect(errorOf('{"level":60,"msg":"role failed"}')).toBe('role failed');
  });

  it.each(['{"level":40,"msg":"slow"}', 'plain text', ''])('are not: %s', (line) => {
    expect(errorOf(line)).toBeUndefined();
  });
});
