/** Answers after which a consumer must join its group again; kafkajs does so when a batch handler throws them. */
const REJOIN = new Set([
  'REBALANCE_IN_PROGRESS',
  'NOT_COORDINATOR_FOR_GROUP',
  'ILLEGAL_GENERATION',
  'UNKNOWN_MEMBER_ID',
]);

/** The group has moved on without this member, or is about to. */
export function meansRejoin(error: unknown): boolean {
  return REJOIN.has((error as { type?: string } | undefined)?.type ?? '');
}
