import type { FastifyInstance } from 'fastify';
import { ERRORS, OmsError } from '../domain/errors.ts';
import type { ErrorCode } from '../domain/errors.ts';
import { html, pageOf, sendPage } from './html.ts';
import type { Html } from './html.ts';
import { errorPage, problemOf, statusOf } from './problem.ts';

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
