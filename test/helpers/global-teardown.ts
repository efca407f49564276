import './global-setup.ts';

export default async function globalTeardown(): Promise<void> {
  await globalThis.omsTestStack?.stop();
  globalThis.omsTestStack = undefined;
}
