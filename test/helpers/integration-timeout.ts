import { jest } from '@jest/globals';

// A limit for what hangs, not a measure of speed.
jest.setTimeout(120_000);
