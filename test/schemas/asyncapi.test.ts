import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Parser } from '@asyncapi/parser';
import { DEPLOYMENT_HEADER, DLQ_HEADERS, REPLAY_HEADER, cloudEventHeaders } from '../../kafka/headers.ts';
import { TOPICS } from '../../kafka/topics.ts';
import { DEAD_LETTER_HEADERS, EVENT_HEADERS } from '../../tools/event-headers.ts';

const DOCS = path.join(import.meta.dirname, '..', '..', 'docs');
const text = readFileSync(path.join(DOCS, 'asyncapi.json'), 'utf8');
const isError = ({ severity }: { severity: number }): boolean => severity === 0;
/** The parser compiles every version of the specification at its first use. */
const PATIENCE_MS = 60_000;

describe('the AsyncAPI document', () => {
  it(
    'is valid AsyncAPI 3, and tells which way each topic goes',
    async () => {
      const { document, diagnostics } = await new Parser().parse(text);
      expect(diagnostics.filter(isError)).toEqual([]);
      const ways = document
        ?.operations()
        .all()
        .map((one) => [one.action(), one.channels().all()[0]?.address()]);
      expect(ways).toEqual(TOPICS.map(({ kind, direction }) => [direction === 'in' ? 'receive' : 'send', kind]));
    },
    PATIENCE_MS,
  );

  it(
    'would be refused if it were broken',
    async () => {
      const broken = text.replace('"action": "receive"', '"action": "listen"');
      const { diagnostics } = await new Parser().parse(broken);
      expect(diagnostics.filter(isError)).not.toEqual([]);
    },
    PATIENCE_MS,
  );

  it('carries the very schemas of the topics', () => {
    const { components } = JSON.parse(text) as {
      components: { messages: Record<string, { payload?: { schema: unknown } }> };
    };
    for (const { schema } of TOPICS)
      if (schema) expect(components.messages[String(schema.name)]?.payload?.schema).toEqual(schema);
  });
});

describe('the headers that pages tell of', () => {
  const names = (headers: readonly { name: string }[]): string[] => headers.map(({ name }) => name).sort();

  it('are those that are written', () => {
    const fields = { id: 'i', type: 't', source: 's', time: 0, subject: 'o', sequence: 1, traceparent: 'p' };
    expect(names(EVENT_HEADERS)).toEqual(
      [...Object.keys(cloudEventHeaders(fields)), DEPLOYMENT_HEADER, REPLAY_HEADER].sort(),
    );
    expect(names(DEAD_LETTER_HEADERS)).toEqual(Object.values(DLQ_HEADERS).sort());
  });
});

describe('the event catalogue', () => {
  const page = readFileSync(path.join(DOCS, 'event-catalogue.html'), 'utf8');

  it('has every topic and field, loads nothing, and every link leads somewhere', () => {
    for (const { kind, schema } of TOPICS) {
      expect(page).toContain(`<section id="${kind}">`);
      const { fields } = (schema ?? { fields: [] }) as unknown as { fields: { name: string }[] };
      for (const { name } of fields) expect(page).toContain(`<td><code>${name}</code></td>`);
    }
    expect(page).not.toMatch(/<script|src=|https?:/);
    const ids = new Set([...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id));
    for (const [, target] of page.matchAll(/href="#([^"]+)"/g)) expect(ids).toContain(target);
  });
});
