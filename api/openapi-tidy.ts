import type { OpenAPIV3_1 } from 'openapi-types';

const REF = '#/components/schemas/';
const INPUT = /Input$/;

const DONE: Record<string, string> = { 200: 'Done.', 201: 'Made.', 202: 'Taken in.' };

/**
 * The document as people should read it. Every schema is collected twice, as what is read and as what is written: those
 * that nothing refers to are dropped, and what then needs no telling apart is called by its plain name.
 */
export function tidyDocument(document: OpenAPIV3_1.Document): OpenAPIV3_1.Document {
  const { schemas = {} } = document.components ?? {};
  const used = reachable(document.paths, schemas);
  const nameOf = (name: string): string => (used.has(name.replace(INPUT, '')) ? name : name.replace(INPUT, ''));
  const kept = [...used].sort().map((name) => [nameOf(name), schemas[name]] as const);
  const renamed = (key: string, value: unknown): unknown => {
    if (key === '$ref' && typeof value === 'string') return REF + nameOf(value.slice(REF.length));
    return key === 'responses' ? withDescriptions(value as OpenAPIV3_1.ResponsesObject) : value;
  };
  const tidy = { ...document, components: { schemas: Object.fromEntries(kept) } };
  return JSON.parse(JSON.stringify(tidy, renamed)) as OpenAPIV3_1.Document;
}

function reachable(paths: unknown, schemas: Record<string, unknown>): Set<string> {
  const found = new Set<string>();
  const waiting: unknown[] = [paths];
  while (waiting.length > 0) {
    for (const name of refsIn(waiting.pop())) {
      if (found.has(name)) continue;
      found.add(name);
      waiting.push(schemas[name]);
    }
  }
  return found;
}

function refsIn(part: unknown): string[] {
  const refs: string[] = [];
  JSON.stringify(part, (key, value: unknown) => {
    if (key === '$ref' && typeof value === 'string') refs.push(value.slice(REF.length));
    return value;
  });
  return refs;
}

function withDescriptions(responses: OpenAPIV3_1.ResponsesObject): OpenAPIV3_1.ResponsesObject {
  const entries = Object.entries(responses).map(([status, response]) => {
    const isBare = 'description' in response && response.description === 'Default Response';
    return [status, isBare ? { ...response, description: DONE[status] ?? 'Done.' } : response];
  });
  return Object.fromEntries(entries) as OpenAPIV3_1.ResponsesObject;
}
