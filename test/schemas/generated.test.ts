import { describe, expect, it } from '@jest/globals';
import { outdatedFiles } from '../../tools/generate.ts';

describe('generated files', () => {
  it('are what their sources say (else: npm run generate)', async () => {
    expect(await outdatedFiles()).toEqual([]);
  });
});
