import { OmsError } from '../../domain/errors.ts';

export interface RegistryOptions {
  /** Base of the Confluent-compatible API. */
  url: string;
  auth?: { username: string; password: string };
  /** @default 10 s */
  timeoutMs?: number;
}

/** Asks the registry; `undefined` means that it has no such thing. */
export type AskRegistry = (path: string, body?: object) => Promise<Record<string, unknown> | undefined>;

/** How a registry says that it has no such subject, version or schema. */
const NOT_FOUND_CODES = new Set<unknown>([40401, 40402, 40403]);
const ATTEMPTS = 3;
const CONTENT_TYPE = 'application/vnd.schemaregistry.v1+json';

/**
 * Requests to a registry. Only the registry's own word makes a "no such thing": a 404 of a wrong path or a proxy, a page
 * in the place of an answer and silence are faults of the environment, or good events would be taken for poison.
 */
export function createAskRegistry(options: RegistryOptions): AskRegistry {
  const url = options.url.replace(/\/+$/, '');
  const headers = { accept: CONTENT_TYPE, 'content-type': CONTENT_TYPE, ...authorization(options.auth) };
  return async (path, body) => {
    let reason = '';
    for (let n = 1; n <= ATTEMPTS; n++) {
      const signal = AbortSignal.timeout(options.timeoutMs ?? 10_000);
      const request = body ? { method: 'POST', body: JSON.stringify(body) } : {};
      const answer = await fetch(url + path, { ...request, headers, signal }).then(read, failed);
      if ('found' in answer) return answer.found;
      reason = answer.reason;
      if (!answer.again) break;
    }
    throw new OmsError('OMS_REGISTRY_UNAVAILABLE', `the registry at ${url} did not answer ${path}: ${reason}`);
  };
}

type Answer = { found: Record<string, unknown> | undefined } | { reason: string; again: boolean };

async function read(response: Response): Promise<Answer> {
  const body = (await response.json().catch(() => undefined)) as Record<string, unknown> | undefined;
  const isObject = typeof body === 'object' && body !== null;
  if (response.ok && isObject) return { found: body };
  if (response.status === 404 && isObject && NOT_FOUND_CODES.has(body.error_code)) return { found: undefined };
  return { reason: `status ${response.status}${isObject ? '' : ' without JSON'}`, again: response.status >= 500 };
}

function failed(error: unknown): Answer {
  const { name, cause, message } = error as Error;
  const reason = (cause as Error | undefined)?.message ?? message;
  // A timeout has used its time up; a refused connection may be a restart.
  return { reason, again: name !== 'TimeoutError' };
}

function authorization(auth: RegistryOptions['auth']): Record<string, string> {
  if (!auth) return {};
  return { authorization: `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString('base64')}` };
}
