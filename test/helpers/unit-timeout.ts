import { jest } from '@jest/globals';

// Some start processes, which takes a while on a busy machine. It ends a test that hangs, and is no measure of speed.
jest.setTimeout(30_000);
