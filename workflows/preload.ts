/**
 * Loaded once a V8 context, before any workflow, by the bundler's `preloadModules`.
 *
 * For Temporal's stack trace query the SDK records a formatted stack for every promise a workflow makes: that was two
 * thirds of the CPU of a workflow task (docs/decisions.md). It reaches into the workflow's global scope through
 * `promise.constructor.constructor`, that is `Promise.constructor`, to find the workflow and its `Error`. Here it finds
 * the workflow, which it needs for unhandled rejections, and an error without a stack, and records nothing. Where an
 * order stands is told by the query `status` instead. test/workflows/preload.test.ts fails when the SDK changes any of this.
 */
class Stackless {
  readonly stack = '';
}

const scope = globalThis as { __TEMPORAL_ACTIVATOR__?: unknown };

Object.defineProperty(Promise, 'constructor', {
  value: (code: string): (() => unknown) =>
    code.endsWith('Error') ? () => Stackless : () => scope.__TEMPORAL_ACTIVATOR__,
});
