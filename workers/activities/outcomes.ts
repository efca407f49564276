/**
 * Asks a provider about several things at once. Returns the answers there are; what got none is left to a later attempt.
 * @throws the first failure when there is no answer at all
 */
export async function answersOf<I, A>(intents: readonly I[], ask: (intent: I) => Promise<A>): Promise<A[]> {
  const settled = await Promise.allSettled(intents.map(ask));
  const answers = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const failed = settled.find((one) => one.status === 'rejected');
  if (failed && answers.length === 0) throw failed.reason;
  return answers;
}
