import { describe, expect, it } from '@jest/globals';
import { textOf } from '../../cli/rebuild.ts';
import type { RebuildResult } from '../../operations/rebuild/run-rebuild.ts';

const result: RebuildResult = {
  ...{ deploymentId: 'd-1', isBackup: false, orders: 6, closed: 3, restarted: 2, deadLetters: 1, unreadable: 0 },
  ...{
    foreign: 0,
    contradicted: [],
    withoutStatus: [],
    untraced: { count: 0, orderIds: [] },
    lostNumbers: { INV: [], CN: [] },
  },
};

describe('what a rebuild tells its operator', () => {
  it('names what is on no topic, and the commands that set it again', () => {
    const text = textOf(result);
    expect(text).toContain('Not on any topic, and so lost:');
    for (const command of ['oms limits set', 'oms maintenance on', 'oms stock set', '--next-invoice', 'oms audit'])
      expect(text).toContain(command);
    expect(textOf({ ...result, isBackup: true })).toContain('Not on any topic, and so as the backup has it:');
  });

  it('names the documents that are gone, and what contradicts the topics', () => {
    const lostNumbers: RebuildResult['lostNumbers'] = {
      INV: [
        [6, 6],
        [8, 9],
      ],
      CN: [],
    };
    expect(textOf({ ...result, lostNumbers })).toContain('INV-00000006, INV-00000008 to INV-00000009');
    const contradicted = Array.from({ length: 21 }, (_, i) => `o/${i}`);
    expect(textOf({ ...result, contradicted })).toMatch(/numbers of 21 .*used after it was restored.* and 1 more/);
  });
});
