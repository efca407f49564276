import { obtainStack, publishEndpoints } from './stack.ts';
import type { TestStack } from './stack.ts';

/** Where the teardown finds it: both run in the same process, but as modules of their own. */
declare global {
  var omsTestStack: TestStack | undefined;
}

export default async function globalSetup(): Promise<void> {
  globalThis.omsTestStack = await obtainStack();
  publishEndpoints(globalThis.omsTestStack.endpoints);
}
