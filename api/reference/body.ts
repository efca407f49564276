import type { FastifyRequest } from 'fastify';
import { OmsError, faultError } from '../../domain/errors.ts';
import { check } from '../../domain/rules.ts';
import type { Rule } from '../../domain/rules.ts';

/**
 * A JSON object as the reference reads it: names match whatever their case, unknown ones are ignored, and what is missing
 * or null is the type's zero value. What has another type is refused.
 */
export interface Fields {
  /** @throws OmsError OMS_API_REQUEST_INVALID, as all of these */
  text(name: string, rule?: Rule<string>): string;
  number(name: string, rule: Rule<number>): number;
  list(name: string): Fields[];
}

/**
 * The body's fields, whatever type the request says it has.
 * @throws OmsError OMS_API_BODY_UNREADABLE when there is no body or it is not JSON; OMS_API_REQUEST_INVALID
 */
export function readBody({ body }: FastifyRequest): Fields {
  const text = typeof body === 'string' ? body : '';
  if (text.trim() === '') throw new OmsError('OMS_API_BODY_UNREADABLE', 'the body is empty: it must be a JSON object');
  return fieldsOf('', parse(text));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new OmsError('OMS_API_BODY_UNREADABLE', `the body must be one JSON object: ${detail}`, { cause: error });
  }
}

function fieldsOf(path: string, value: unknown): Fields {
  if (!isObject(value)) throw invalid(path || '(body)', value, 'must be a JSON object');
  const byName = new Map(Object.entries(value ?? {}).map(([name, field]) => [name.toLowerCase(), field as unknown]));
  const at = (name: string): string => (path ? `${path}.${name}` : name);
  const read = (name: string): unknown => byName.get(name.toLowerCase());
  return {
    text: (name, rule) => textOf(at(name), read(name) ?? '', rule),
    number: (name, rule) => numberOf(at(name), read(name) ?? 0, rule),
    list: (name) => listOf(at(name), read(name) ?? []),
  };
}

const isObject = (value: unknown): value is object | null => typeof value === 'object' && !Array.isArray(value);

function textOf(field: string, value: unknown, rule: Rule<string> = anyText): string {
  if (typeof value !== 'string') throw invalid(field, value, 'must be a string');
  check(() => field, value, unicode, 'OMS_API_REQUEST_INVALID');
  check(() => field, value, rule, 'OMS_API_REQUEST_INVALID');
  return value;
}

const anyText: Rule<string> = { holds: () => true, rule: '' };
const unicode: Rule<string> = {
  holds: (value) => value.isWellFormed(),
  rule: 'must be well-formed Unicode, without lone surrogates',
};

function numberOf(field: string, value: unknown, rule: Rule<number>): number {
  if (typeof value !== 'number') throw invalid(field, value, rule.rule);
  check(() => field, value, rule, 'OMS_API_REQUEST_INVALID');
  return value;
}

function listOf(field: string, value: unknown): Fields[] {
  if (!Array.isArray(value)) throw invalid(field, value, 'must be an array');
  return value.map((element: unknown, i) => fieldsOf(`${field}[${i}]`, element));
}

const invalid = (field: string, value: unknown, rule: string): OmsError =>
  faultError('OMS_API_REQUEST_INVALID', { field, value, rule });
