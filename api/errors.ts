import type { FastifyError, FastifyReply, FastifyRequest, FastifyInstance } from 'fastify';
import { hasZodFastifySchemaValidationErrors, isResponseSerializationError } from 'fastify-type-provider-zod';
import { databaseError } from '../database/database.ts';
import { ERRORS, OmsError, isOmsError, shown } from '../domain/errors.ts';
import type { ErrorCode } from '../domain/errors.ts';
import type { Logger } from '../platform/logger.ts';
import { html, pageOf, sendPage } from './html.ts';
import type { Html } from './html.ts';
import { asRequestError, errorPage, invalid, problemOf, statusOf } from './problem.ts';

/** How an error is written into an answer: a problem document under /v1, plain text on the reference's routes. */
export type ErrorWriter = (reply: FastifyReply, error: OmsError, requestId: string) => FastifyReply;

export const writeProblem: ErrorWriter = (reply, error, requestId) => {
  const problem = problemOf(error, requestId);
  return reply.code(problem.status).type('application/problem+json').serializer(JSON.stringify).send(problem);
};

/** The reference answers errors as a line of text; the code stands in a header, for programs. */
export const writeText: ErrorWriter = (reply, error, requestId) => {
  const { status, detail, code } = problemOf(error, requestId);
  return reply
    .code(status)
    .header('oms-error-code', code)
    .header('x-content-type-options', 'nosniff')
    .type('text/plain; charset=utf-8')
    .serializer(String)
    .send(`${detail}\n`);
};

/** Answers whatever was thrown; what is our own fault goes to the log with all there is. */
export function createErrorHandler(logger: Logger, write: ErrorWriter) {
  return (thrown: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const error = namedError(thrown, request);
    const facts = { requestId: request.id, route: request.routeOptions.url, code: error.code, err: thrown };
    // What is away or held for now is no fault of ours, and can be very many requests.
    if (statusOf(error) === 500) logger.error(facts, 'request failed');
    else if (statusOf(error) > 500) logger.warn({ ...facts, err: error.message }, 'request failed');
    return write(reply, error, request.id);
  };
}

/** Whatever was thrown, as an error of our own table. */
function namedError(thrown: unknown, request: FastifyRequest): OmsError {
  const error = asRequestError(databaseError(thrown));
  if (isOmsError(error)) return error;
  if (hasZodFastifySchemaValidationErrors(error)) return invalidRequest(error, request);
  if (isResponseSerializationError(error)) return internal(error);
  return httpError(error as FastifyError, request);
}

function internal(cause: unknown): OmsError {
  return new OmsError('OMS_API_INTERNAL', 'a fault of the OMS itself', { cause });
}

/** What fastify itself refuses. */
function httpError(error: FastifyError, { url }: FastifyRequest): OmsError {
  switch (error.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new OmsError('OMS_API_BODY_TOO_LARGE', error.message);
    case 'FST_ERR_BAD_URL':
      return invalid({ field: '(path)', value: shown(url), rule: 'must be UTF-8, percent-encoded' });
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return new OmsError('OMS_API_ROUTE_UNKNOWN', 'there is nothing at so long a path');
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new OmsError('OMS_API_MEDIA_TYPE', error.message);
    case 'FST_ERR_HANDLER_TIMEOUT':
      return new OmsError('OMS_API_TIMED_OUT', 'not answered in time', { cause: error });
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
    case 'FST_ERR_CTP_INVALID_JSON_BODY':
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return new OmsError('OMS_API_BODY_UNREADABLE', error.message);
  }
  if (error.statusCode === 429) return new OmsError('OMS_API_RATE_LIMITED', error.message);
  if (error.statusCode === 400) return new OmsError('OMS_API_BODY_UNREADABLE', error.message);
  return internal(error);
}

interface Issue {
  instancePath: string;
  message?: string | undefined;
  params?: Record<string, unknown>;
}

interface Validation {
  validation: Issue[];
  validationContext?: string;
}

const PLACES: Record<string, string> = { querystring: '(query)', params: '(path)', headers: '(headers)' };

/** The first rule that was broken, with the place and the value as it came. */
function invalidRequest({ validation, validationContext = 'body' }: Validation, request: FastifyRequest): OmsError {
  const [first] = validation;
  const given = { body: request.body, querystring: request.query, params: request.params, headers: request.headers };
  const root = given[validationContext as keyof typeof given];
  const { path, rule } = brokenBy(first);
  const value = path.reduce<unknown>((at, key) => (at as Record<string, unknown> | null | undefined)?.[key], root);
  const field = path.map((key, i) => (/^\d+$/.test(key) ? `[${key}]` : `${i > 0 ? '.' : ''}${key}`)).join('');
  return invalid({ field: field || (PLACES[validationContext] ?? '(body)'), value: shown(value), rule });
}

/** What is not known is named itself, not by what holds it. */
function brokenBy(issue: Issue | undefined): { path: string[]; rule: string } {
  const path = (issue?.instancePath ?? '').split('/').filter((part) => part !== '');
  const unknown = issue?.params?.keys;
  if (Array.isArray(unknown)) return { path: [...path, String(unknown[0])], rule: 'is not known here' };
  return { path, rule: issue?.message ?? 'breaks a rule' };
}

const STYLE = `
:root { color-scheme: light dark; --quiet: light-dark(#5f6b7a, #a3adba); --rule: light-dark(#dfe4ea, #3a424d);
  --card: light-dark(#fff, #1d2229); }
body { margin: 0; padding: 2rem 1rem; background: light-dark(#f0f2f5, #14181d);
  font: 16px/1.55 system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif; }
main { max-width: 52rem; margin: 0 auto; padding: 2rem 2.5rem; background: var(--card); border-radius: 6px; }
h1 { margin: .2em 0 .6em; font-size: 1.6rem; overflow-wrap: anywhere; }
h2 { margin: 2rem 0 .5rem; font-size: 1.05rem; }
code, pre { font: .92em ui-monospace, 'SF Mono', Menlo, Consolas, monospace; }
pre { padding: 1rem; white-space: pre-wrap; overflow-wrap: anywhere; border: 1px solid var(--rule); border-radius: 4px; }
table { width: 100%; border-collapse: collapse; }
th, td { padding: .45rem .6rem .45rem 0; border-bottom: 1px solid var(--rule); text-align: left; vertical-align: top; }
.quiet { color: var(--quiet); }
`;

const CODES = Object.keys(ERRORS) as ErrorCode[];
const statusOfCode = (code: ErrorCode): number => statusOf(new OmsError(code, ''));

/** /docs/errors lists the error codes, /docs/errors/<code> explains one: where the `type` of a problem leads. */
export function registerErrorPages(app: FastifyInstance): void {
  app.get('/docs/errors', async (_request, reply) =>
    sendPage(reply, pageOf({ title: 'Errors', style: STYLE, body: listOfCodes() })),
  );
  app.get<{ Params: { code: string } }>('/docs/errors/:code', async ({ params }, reply) => {
    const code = CODES.find((one) => one === params.code.toUpperCase());
    if (!code) throw new OmsError('OMS_API_ROUTE_UNKNOWN', 'no such error code');
    return sendPage(reply, pageOf({ title: code, style: STYLE, body: pageOfCode(code) }));
  });
}

function listOfCodes(): Html {
  return html`<main>
    <p class="quiet"><a href="/docs">OMS API</a></p>
    <h1>Errors</h1>
    <p>Every error has one of these codes: in answers, in logs, on dead letters. A code is never reused.</p>
    <table>
      <thead>
        <tr>
          <th scope="col">Code</th>
          <th scope="col">Meaning</th>
        </tr>
      </thead>
      <tbody>
        ${CODES.map(
          (code) =>
            html`<tr>
              <td>
                <a href="${errorPage(code)}"><code>${code}</code></a>
              </td>
              <td>${ERRORS[code].meaning}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </main>`;
}

function pageOfCode(code: ErrorCode): Html {
  const { meaning, retryable } = ERRORS[code];
  const example = problemOf(new OmsError(code, 'What happened this time.'), '0198c0de-…');
  return html`<main>
    <p class="quiet"><a href="/docs">OMS API</a> · <a href="/docs/errors">Errors</a></p>
    <h1><code>${code}</code></h1>
    <p>${meaning}</p>
    <h2>What to do</h2>
    <p>${advice(retryable, statusOfCode(code))}</p>
    <h2>As an answer over HTTP</h2>
    <pre>${JSON.stringify(example, null, 2)}</pre>
  </main>`;
}

function advice(retryable: boolean, status: number): string {
  if (status === 429) return 'Send the same request again after the time that Retry-After names.';
  if (retryable) return 'Try again, with growing pauses. A POST keeps its Idempotency-Key, so it is done once.';
  if (status === 409) return 'The same request will be refused again: look at how things stand now, and decide anew.';
  return 'The same request will be refused again: mend what is named, then send it as a new one.';
}
