/**
 * Called at the end of each of ingest's steps, in the order below, once a chunk or (for the two in the middle) once an
 * order. Does nothing in production; tests end the process here, so that every gap between two steps is tried.
 */
export type OnStep = (step: IngestStep) => void | Promise<void>;

export const INGEST_STEPS = [
  'decoded',
  'classified',
  'parked',
  'claimed',
  'orderStarted',
  'lanesRun',
  'deadLettersIntended',
  'deadLettersSent',
  'deadLettersMarked',
  'confirmed',
  'finished',
] as const;
export type IngestStep = (typeof INGEST_STEPS)[number];

export const noStep: OnStep = () => undefined;
