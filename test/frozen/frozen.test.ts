import { readdirSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { ACTIVITIES, ORDER_WORKFLOW } from '../../domain/contract.ts';
import { createActivities } from '../../workers/activities/index.ts';
import * as workflows from '../../workflows/order.ts';
import { lossesSince020, namesOf020 } from './compare.ts';
import { CURRENT } from './current.ts';
import { REMOVED } from './removed.ts';

describe('What others see of version 0.2.0', () => {
  it.each(Object.keys(CURRENT))('is still there under the same names: %s', async (kind) => {
    expect(lossesSince020(kind, (await CURRENT[kind]?.()) ?? [])).toBe('');
  });

  it('is compared in every kind that has a list; tables and columns with a real database', () => {
    const listed = readdirSync(new URL('0.2.0/', import.meta.url)).map((file) => file.replace(/\.json$/, ''));
    expect(listed.sort()).toEqual([...Object.keys(CURRENT), 'tables'].sort());
  });

  it('may leave only if it was there, and with an issue', () => {
    for (const { kind, name, issue } of REMOVED) {
      expect(namesOf020(kind)).toContain(name);
      expect(issue).not.toBe('');
    }
  });
});

describe("Temporal's names in the contract", () => {
  it('are those of the workflows that a worker runs', () => {
    expect(Object.keys(workflows)).toEqual([ORDER_WORKFLOW]);
  });

  it('are those of the activities that a worker runs', () => {
    const activities = createActivities({} as Parameters<typeof createActivities>[0]);
    expect(Object.keys(activities).sort()).toEqual([...ACTIVITIES].sort());
  });
});
