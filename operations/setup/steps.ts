/**
 * What setting up found or did about one thing. `kept` differs from the definition in a harmless way and is left as it
 * is; `drift` differs in a way that is not changed without being told to.
 */
export type SetupOutcome = 'created' | 'mended' | 'unchanged' | 'kept' | 'info' | 'drift';

export interface SetupStep {
  /** `topic orders`, `subject orders-value`, `database`. */
  part: string;
  outcome: SetupOutcome;
  detail: string;
}

export type ReportStep = (step: SetupStep) => void;
